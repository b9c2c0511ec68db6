"""The `databricks-uc` dialect of the registry: MLflow's protobuf messages in, messages out.

Source: mlflow.protos.databricks_uc_registry_{messages,service}_pb2; routes and verbs come from
the service's descriptor. Imports MLflow: load late.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from flask import request
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]  # no stubs
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2
from mlflow.protos import databricks_uc_registry_messages_pb2 as messages
from mlflow.protos.databricks_uc_registry_service_pb2 import UcModelRegistryService
from mlflow.utils.proto_json_utils import message_to_json, parse_dict

from laketop.workspace.mlflow_app import answer
from laketop.workspace.registrations import LINEAGE_HEADER, Registrations, lineage_of
from laketop.workspace.registry_records import ModelVersion, NewVersion, RegisteredModel

# The generated messages have no types of their own; see the .proto files for their fields.
_m: Any = messages
Message = Any


def routes() -> Iterator[tuple[str, str, Any]]:
    """Yield method, path below the version of the API, and descriptor of all of the service."""
    service: Any = UcModelRegistryService
    options: Any = databricks_pb2
    for rpc in service.DESCRIPTOR.methods:
        for endpoint in rpc.GetOptions().Extensions[options.rpc].endpoints:
            yield endpoint.method, endpoint.path, rpc


class UnityDialect:
    """Answers each request message of the service by the method of its name."""

    def __init__(self, registrations: Registrations) -> None:
        """Speak for the registry that `registrations` act on."""
        self._registrations = registrations
        self._registry = registrations.registry

    def routes(self) -> Iterator[tuple[str, Callable[..., Any], list[str]]]:
        """Yield path, handler and methods of every route of the service."""
        for method, path, rpc in routes():
            handler = self._handler(rpc.name, getattr(_m, rpc.input_type.name))
            yield f"/api/2.0{path}", handler, [method]

    def _handler(self, name: str, asked: Callable[[], Message]) -> Callable[..., Any]:
        act: Callable[[Any], Message] = getattr(self, _snake(name))

        def handle() -> Any:
            try:
                return answer(_call(message_to_json, act(_parsed(asked()))))
            except MlflowException as error:
                return answer(_call(error.serialize_as_json), _call(error.get_http_status_code))

        return handle

    # Models

    def create_registered_model(self, asked: Any) -> Message:
        """Create a model."""
        model = self._registrations.create_model(
            asked.name,
            caller=_caller(),
            description=_said(asked, "description"),
            tags={tag.key: tag.value for tag in asked.tags},
            deployment_job_id=_said(asked, "deployment_job_id"),
        )
        return _m.CreateRegisteredModelResponse(registered_model=self._model(model))

    def get_registered_model(self, asked: Any) -> Message:
        """Return a model with its aliases and tags."""
        model = self._model(self._registry.model(asked.name))
        return _m.GetRegisteredModelResponse(registered_model=model)

    def update_registered_model(self, asked: Any) -> Message:
        """Change a model's description or deployment job."""
        if _said(asked, "new_name") is not None:
            raise _refused("Renaming a registered model")
        model = self._registrations.update_model(
            asked.name,
            description=_said(asked, "description"),
            deployment_job_id=_said(asked, "deployment_job_id"),
        )
        return _m.UpdateRegisteredModelResponse(registered_model=self._model(model))

    def delete_registered_model(self, asked: Any) -> Message:
        """Delete a model and its versions."""
        self._registry.delete_model(asked.name)
        return _m.DeleteRegisteredModelResponse()

    def search_registered_models(self, asked: Any) -> Message:
        """Return a page of models, without aliases and tags."""
        found, token = self._registry.search_models(
            max_results=_said(asked, "max_results"),
            page_token=_page_token(asked),
            only_seen=True,
        )
        models = [_model(model, bare=True) for model in found]
        return _m.SearchRegisteredModelsResponse(registered_models=models, next_page_token=token)

    def set_registered_model_tag(self, asked: Any) -> Message:
        """Set a model's tag."""
        self._registry.set_model_tag(asked.name, asked.key, asked.value)
        return _m.SetRegisteredModelTagResponse()

    def delete_registered_model_tag(self, asked: Any) -> Message:
        """Delete a model's tag."""
        self._registry.delete_model_tag(asked.name, asked.key)
        return _m.DeleteRegisteredModelTagResponse()

    # Aliases

    def set_registered_model_alias(self, asked: Any) -> Message:
        """Point an alias at a version."""
        self._registry.set_alias(asked.name, asked.alias, _number(asked.version))
        return _m.SetRegisteredModelAliasResponse()

    def delete_registered_model_alias(self, asked: Any) -> Message:
        """Delete an alias."""
        self._registry.delete_alias(asked.name, asked.alias)
        return _m.DeleteRegisteredModelAliasResponse()

    def get_model_version_by_alias(self, asked: Any) -> Message:
        """Return the version that an alias points at."""
        version = self._version(self._registry.by_alias(asked.name, asked.alias))
        return _m.GetModelVersionByAliasResponse(model_version=version)

    # Versions

    def create_model_version(self, asked: Any) -> Message:
        """Make room for a version, which waits for its files."""
        if asked.feature_deps:
            raise _refused("A model version with feature dependencies")
        new = NewVersion(
            source=asked.source,
            run_id=_said(asked, "run_id"),
            run_tracking_server_id=_said(asked, "run_tracking_server_id"),
            model_id=_said(asked, "model_id"),
            description=_said(asked, "description"),
            tags={tag.key: tag.value for tag in asked.tags},
            dependencies=tuple(_as_json(one) for one in asked.model_version_dependencies),
            created_by=lineage_of(request.headers.get(LINEAGE_HEADER)),
        )
        version = self._registrations.create_version(asked.name, new, caller=_caller())
        return _m.CreateModelVersionResponse(model_version=self._version(version))

    def finalize_model_version(self, asked: Any) -> Message:
        """Check a version's files and open it for use."""
        version = self._registrations.finalize_version(
            asked.name, _number(asked.version), caller=_caller()
        )
        return _m.FinalizeModelVersionResponse(model_version=self._version(version))

    def get_model_version(self, asked: Any) -> Message:
        """Return a version with its aliases, tags, parameters and metrics."""
        version = self._registry.version(asked.name, _number(asked.version))
        return _m.GetModelVersionResponse(model_version=self._version(version))

    def update_model_version(self, asked: Any) -> Message:
        """Change a version's description."""
        version = self._registry.update_version(
            asked.name, _number(asked.version), description=_said(asked, "description")
        )
        return _m.UpdateModelVersionResponse(model_version=self._version(version))

    def delete_model_version(self, asked: Any) -> Message:
        """Delete a version and its files."""
        self._registry.delete_version(asked.name, _number(asked.version))
        return _m.DeleteModelVersionResponse()

    def search_model_versions(self, asked: Any) -> Message:
        """Return a page of versions, without aliases and tags."""
        found, token = self._registry.search_versions(
            filter_string=_said(asked, "filter"),
            max_results=_said(asked, "max_results"),
            page_token=_page_token(asked),
        )
        versions = [_version(version, bare=True) for version in found]
        return _m.SearchModelVersionsResponse(model_versions=versions, next_page_token=token)

    def get_model_version_download_uri(self, asked: Any) -> Message:
        """Return where a version's files are, as a workspace names it."""
        version = self._registry.version(asked.name, _number(asked.version))
        return _m.GetModelVersionDownloadUriResponse(artifact_uri=_storage(version))

    def set_model_version_tag(self, asked: Any) -> Message:
        """Set a version's tag; who approves a version says so in person."""
        number = _number(asked.version)
        self._registrations.set_version_tag(
            asked.name, number, asked.key, asked.value, caller=_caller()
        )
        return _m.SetModelVersionTagResponse()

    def delete_model_version_tag(self, asked: Any) -> Message:
        """Delete a version's tag."""
        self._registry.delete_version_tag(asked.name, _number(asked.version), asked.key)
        return _m.DeleteModelVersionTagResponse()

    def emit_model_version_lineage(self, asked: Any) -> Message:
        """Remember what read a version."""
        info = asked.model_version_lineage_info
        self._registry.add_lineage(
            asked.name,
            _number(asked.version),
            direction=_m.ModelVersionLineageDirection.Name(info.direction),
            entities=[_as_json(entity) for entity in info.entities],
        )
        return _m.EmitModelVersionLineageResponse()

    # How files travel

    def is_databricks_sdk_models_artifact_repository_enabled(self, _asked: Any) -> Message:
        """Send clients to the Files API, where no cloud credential is needed."""
        return _m.IsDatabricksSdkModelsArtifactRepositoryEnabledResponse(
            is_databricks_sdk_models_artifact_repository_enabled=True
        )

    def generate_temporary_model_version_credentials(self, _asked: Any) -> Message:
        """Refuse: there is no cloud storage here."""
        raise _refused("A temporary credential for a model version's cloud storage")

    def _model(self, model: RegisteredModel) -> Any:
        told = _model(model)
        states = _m.DeploymentJobConnection.State
        told.deployment_job_state = states.Value(
            self._registrations.deployments.connection(model.deployment_job_id)
        )
        return told

    def _version(self, version: ModelVersion) -> Any:
        told = _version(version)
        deployment = self._registrations.deployments.of(version.name, version.version)
        if deployment is not None:
            states = _m.ModelVersionDeploymentJobState
            told.deployment_job_state.CopyFrom(
                states(
                    job_id=str(deployment.job_id),
                    run_id=str(deployment.run_id or ""),
                    run_state=states.DeploymentJobRunState.Value(deployment.run_state),
                    job_state=_m.DeploymentJobConnection.State.Value(
                        self._registrations.deployments.connection(str(deployment.job_id))
                    ),
                    current_task_name=deployment.task,
                )
            )
        logged = self._registrations.logged_model(version.model_id) if version.model_id else None
        if logged is not None:
            told.run_experiment_id = logged.experiment_id
            told.model_params.extend(
                _m.ModelParam(name=name, value=value) for name, value in logged.params.items()
            )
            told.model_metrics.extend(
                _m.ModelMetric(
                    key=one.key,
                    value=one.value,
                    timestamp=one.timestamp,
                    step=one.step,
                    dataset_name=one.dataset_name,
                    dataset_digest=one.dataset_digest,
                    model_id=one.model_id,
                    run_id=one.run_id,
                )
                for one in logged.metrics or []
            )
        return told


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def _call(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


def _parsed(asked: Message) -> Message:
    sent = request.args.to_dict() if request.method == "GET" else request.get_json(force=True)
    try:
        _call(parse_dict, sent, asked)
    except ParseError as error:
        raise MlflowException(
            f"The request is not what this route takes: {error}",
            databricks_pb2.INVALID_PARAMETER_VALUE,
        ) from error
    return asked


def _said(asked: Any, field: str) -> Any | None:
    return getattr(asked, field) if asked.HasField(field) else None


def _page_token(asked: Any) -> str | None:
    token: str | None = _said(asked, "page_token")
    if token is not None and not token.isascii():
        raise MlflowException(
            f"The page token {token[:100]!r} is none that was given out.",
            databricks_pb2.INVALID_PARAMETER_VALUE,
        )
    return token


def _number(version: str) -> int:
    if not version.isdecimal() or not version.isascii() or int(version) >= 2**31:
        raise MlflowException(
            f"Model version must be a whole number, got {version!r}.",
            databricks_pb2.INVALID_PARAMETER_VALUE,
        )
    return int(version)


def _refused(what: str) -> MlflowException:
    return MlflowException(f"{what} is not supported.", databricks_pb2.NOT_IMPLEMENTED)


def _caller() -> str:
    return str(request.environ["asgi.scope"]["laketop.user"])


def _as_json(message: Message) -> dict[str, Any]:
    return dict(json.loads(_call(message_to_json, message)))


def _storage(version: ModelVersion) -> str:
    return f"dbfs:/Models/{version.name.replace('.', '/')}/{version.version}"


def _model(model: RegisteredModel, *, bare: bool = False) -> Any:
    told = _m.RegisteredModel(
        name=model.name,
        creation_timestamp=model.created_ms,
        last_updated_timestamp=model.updated_ms,
        user_id=model.owner,
        description=model.description,
        deployment_job_id=model.deployment_job_id,
    )
    if not bare:
        told.aliases.extend(
            _m.RegisteredModelAlias(alias=alias, version=str(version))
            for alias, version in model.aliases.items()
        )
        told.tags.extend(
            _m.RegisteredModelTag(key=key, value=value) for key, value in model.tags.items()
        )
    return told


def _version(version: ModelVersion, *, bare: bool = False) -> Any:
    told = _m.ModelVersion(
        name=version.name,
        version=str(version.version),
        creation_timestamp=version.created_ms,
        last_updated_timestamp=version.updated_ms,
        user_id=version.owner,
        description=version.description,
        source=version.source,
        run_id=version.run_id,
        run_tracking_server_id=version.run_tracking_server_id,
        status=_m.ModelVersionStatus.Value(version.status),
        status_message=version.status_message,
        storage_location=_storage(version),
        model_id=version.model_id,
    )
    if not bare:
        told.aliases.extend(
            _m.RegisteredModelAlias(alias=alias, version=str(version.version))
            for alias in version.aliases
        )
        told.tags.extend(
            _m.ModelVersionTag(key=key, value=value) for key, value in version.tags.items()
        )
    return told

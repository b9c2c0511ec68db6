"""The versions of registered models, in Unity Catalog's own REST API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import ModelVersionInfo, ModelVersionInfoStatus

from laketop.workspace import lake
from laketop.workspace.model_tags import Tags, changes_of, check_is_model, shown_tags, tags_of
from laketop.workspace.service import Request, Service, route

_PATH = "/api/2.1/unity-catalog/models/{full_name}"
_LARGEST_PAGE = 1000
_METRIC = (
    "key",
    "value",
    "timestamp",
    "step",
    "dataset_name",
    "dataset_digest",
    "model_id",
    "run_id",
)
_DEPENDENCIES: Mapping[str, tuple[str, str]] = {
    "table": ("table_full_name", "DATABRICKS_TABLE"),
    "function": ("function_full_name", "DATABRICKS_UC_FUNCTION"),
    "connection": ("connection_name", "DATABRICKS_UC_CONNECTION"),
}
"""By kind of dependency the field that names it, and what the other dialect calls it."""

Got = TypeVar("Got")


class ModelVersions(Service):
    """Model versions, over the registry that MLflow's clients use.

    MLflow's client makes them here too, with MLFLOW_ENABLE_UC_NATIVE_MODEL_REGISTRY; their files
    go through the Files API in either dialect.
    Source: Unity Catalog API; mlflow.protos.unity_catalog_messages_pb2.
    """

    @route("POST /api/2.1/unity-catalog/models/versions")
    async def create(
        self,
        request: Request,
        *,
        catalog_name: str,
        schema_name: str,
        model_name: str,
        source: str,
        run_id: str | None = None,
        comment: str | None = None,
        tags: Tags | None = None,
        model_version_dependencies: dict[str, Any] | None = None,
        model_id: str | None = None,
        feature_deps: str | None = None,
        run_tracking_server_id: str | None = None,
    ) -> dict[str, Any]:
        """Make room for a version, which waits for its files and for `finalize`."""
        if feature_deps:
            raise NotServed("laketop does not register a version with feature dependencies.")
        given, dependencies = tags_of(tags), _dependencies_of(model_version_dependencies)

        def make() -> dict[str, Any]:
            registrations = self._registrations
            from laketop.workspace.registrations import LINEAGE_HEADER, lineage_of
            from laketop.workspace.registry_records import NewVersion

            new = NewVersion(
                source=source,
                run_id=run_id,
                run_tracking_server_id=run_tracking_server_id,
                model_id=model_id,
                description=comment,
                tags=given,
                dependencies=dependencies,
                created_by=lineage_of(request.headers.get(LINEAGE_HEADER.lower())),
            )
            name, caller = f"{catalog_name}.{schema_name}.{model_name}", self.workspace.user
            return self._shown(registrations.create_version(name, new, caller=caller))

        return await self._of_registry(make)

    @route(f"PATCH {_PATH}/versions/{{version}}/finalize")
    async def finalize(self, full_name: str, version: int) -> dict[str, Any]:
        """Check the files of a version and open it for use."""
        lake.parts(full_name, 3, "model")
        caller = self.workspace.user
        return await self._of_registry(
            lambda: self._shown(
                self._registrations.finalize_version(full_name, version, caller=caller)
            )
        )

    @route(
        "PATCH /api/2.1/unity-catalog/subentity-tags/{securable_type}/{securable_full_name}"
        "/{subentity_name}"
    )
    async def update_tag_subentity_assignments(
        self,
        securable_type: str,
        securable_full_name: str,
        subentity_name: int,
        changes: dict[str, Any],
    ) -> None:
        """Set and remove tags of a version. Errors: NotImplemented for another securable."""
        check_is_model(securable_type)
        lake.parts(securable_full_name, 3, "model")
        added, removed = changes_of(changes)
        model, caller = (securable_full_name, subentity_name), self.workspace.user

        await self._of_registry(
            lambda: self._registrations.change_version_tags(*model, added, removed, caller=caller)
        )

    @route(f"GET {_PATH}/versions")
    async def list(
        self, full_name: str, max_results: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the versions of a model, the newest change first."""
        lake.parts(full_name, 3, "model")
        if max_results < 0 or (page_token and not re.fullmatch(r"[\w=+/-]{1,200}", page_token)):
            raise InvalidParameterValue("max_results or page_token cannot be used.")

        def search() -> Any:
            self._registry.model(full_name)
            return self._registry.search_versions(
                filter_string=f"name='{full_name}'",
                max_results=min(max_results or _LARGEST_PAGE, _LARGEST_PAGE),
                page_token=page_token,
            )

        page, token = await self._of_registry(search)
        # MLflow's store makes tokens of bytes.
        more = {"next_page_token": token.decode() if isinstance(token, bytes) else token}
        return {"model_versions": [_info(one).as_dict() for one in page], **(more if token else {})}

    @route(f"GET {_PATH}/versions/{{version}}")
    async def get(
        self, full_name: str, version: int, include_aliases: bool = False
    ) -> dict[str, Any]:
        """Return a version, its aliases if asked for."""
        lake.parts(full_name, 3, "model")
        return await self._of_registry(
            lambda: self._shown(
                self._registry.version(full_name, version), with_aliases=include_aliases
            )
        )

    @route(f"GET {_PATH}/aliases/{{alias}}")
    async def get_by_alias(
        self, full_name: str, alias: str, include_aliases: bool = False
    ) -> dict[str, Any]:
        """Return the version that an alias points at, its aliases if asked for."""
        lake.parts(full_name, 3, "model")
        return await self._of_registry(
            lambda: self._shown(
                self._registry.by_alias(full_name, alias), with_aliases=include_aliases
            )
        )

    @route(f"PATCH {_PATH}/versions/{{version}}")
    async def update(
        self, full_name: str, version: int, comment: str | None = None
    ) -> ModelVersionInfo:
        """Change the comment of a version."""
        lake.parts(full_name, 3, "model")
        return await self._of_registry(
            lambda: _info(self._registry.update_version(full_name, version, description=comment))
        )

    @route(f"DELETE {_PATH}/versions/{{version}}")
    async def delete(self, full_name: str, version: int) -> None:
        """Delete a version, its aliases and its files."""
        lake.parts(full_name, 3, "model")
        await self._of_registry(lambda: self._registry.delete_version(full_name, version))

    @property
    def _registrations(self) -> Any:
        return self.workspace.model_registry.registrations

    @property
    def _registry(self) -> Any:
        return self.workspace.model_registry.registry

    def _shown(self, version: Any, *, with_aliases: bool = False) -> dict[str, Any]:
        """Return a version with what MLflow's client reads of it beyond the SDK's dataclass."""
        told = _info(version).as_dict()
        if with_aliases and version.aliases:
            told["aliases"] = [
                {"alias_name": alias, "version_num": version.version} for alias in version.aliases
            ]
        if version.tags:
            told["tags"] = shown_tags(version.tags)
        if version.model_id:
            told |= {"model_id": version.model_id, **self._of_logged_model(version.model_id)}
        deployment = self._registrations.deployments.of(version.name, version.version)
        if deployment is not None:
            job_id = str(deployment.job_id)
            told["deployment_job_state"] = {
                "job_id": job_id,
                "run_id": str(deployment.run_id or ""),
                "run_state": deployment.run_state,
                "job_state": self._registrations.deployments.connection(job_id),
                "current_task_name": deployment.task,
            }
        return told

    def _of_logged_model(self, model_id: str) -> dict[str, Any]:
        logged = self._registrations.logged_model(model_id)
        if logged is None:
            return {}
        return {
            "model_params": [{"name": n, "value": value} for n, value in logged.params.items()],
            "model_metrics": [
                {field: getattr(one, field) for field in _METRIC if getattr(one, field) is not None}
                for one in logged.metrics or []
            ],
        }

    async def _of_registry(self, act: Callable[[], Got]) -> Got:
        found: Got = await self.workspace.registered_models.of_registry(act)
        return found


def _dependencies_of(sent: Mapping[str, Any] | None) -> tuple[Mapping[str, str], ...]:
    """Return dependencies in the words of the other dialect, which the registry keeps."""
    listed = (sent or {}).get("dependencies") or []
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise InvalidParameterValue("model_version_dependencies holds a list of dependencies.")
    return tuple(_dependency_of(one) for one in listed)


def _dependency_of(sent: Any) -> Mapping[str, str]:
    for kind, (field, type_) in _DEPENDENCIES.items():
        named = sent.get(kind) if isinstance(sent, dict) else None
        if isinstance(named, dict) and isinstance(named.get(field), str):
            return {"type": type_, "name": named[field]}
    raise InvalidParameterValue("A dependency is a table, a function or a connection by its name.")


_STATUSES = {
    "PENDING_REGISTRATION": ModelVersionInfoStatus.PENDING_REGISTRATION,
    "READY": ModelVersionInfoStatus.READY,
    "FAILED_REGISTRATION": ModelVersionInfoStatus.FAILED_REGISTRATION,
}


def _info(version: Any) -> ModelVersionInfo:
    catalog, schema, name = version.name.split(".")
    return ModelVersionInfo(
        catalog_name=catalog,
        schema_name=schema,
        model_name=name,
        version=version.version,
        comment=version.description or None,
        source=version.source,
        run_id=version.run_id,
        status=_STATUSES.get(version.status),
        created_at=version.created_ms,
        created_by=version.owner or None,
        updated_at=version.updated_ms,
        updated_by=version.owner or None,
        storage_location=f"dbfs:/Models/{catalog}/{schema}/{name}/{version.version}",
    )

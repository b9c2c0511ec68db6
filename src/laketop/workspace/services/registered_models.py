"""The registered models of Unity Catalog, in its own REST API."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import anyio.to_thread
from databricks.sdk.errors.platform import (
    ERROR_CODE_MAPPING,
    BadRequest,
    NotFound,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import RegisteredModelAlias, RegisteredModelInfo

from laketop.workspace import lake
from laketop.workspace.lake import Lake
from laketop.workspace.model_rights import ModelRights
from laketop.workspace.model_tags import Tags, changes_of, check_is_model, shown_tags, tags_of
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.securables import Securables
from laketop.workspace.service import Service, route

Got = TypeVar("Got")

Names = list[str]
Models = list[RegisteredModelInfo]
"""In the class below, `list` is what the client calls that route."""


class RegisteredModels(Service):
    """Registered models, over the registry that MLflow's clients use.

    MLflow's client comes here too, with MLFLOW_ENABLE_UC_NATIVE_MODEL_REGISTRY. Every call may be
    the one that loads MLflow, so none of them is inside a transaction.
    Source: Unity Catalog API; mlflow.protos.unity_catalog_messages_pb2.
    """

    @route("POST /api/2.1/unity-catalog/models")
    async def create(
        self,
        *,
        catalog_name: str,
        schema_name: str,
        name: str,
        comment: str | None = None,
        storage_location: str | None = None,
        tags: Tags | None = None,
        deployment_job_id: str | None = None,
    ) -> dict[str, Any]:
        """Make a model without versions. Errors: ResourceAlreadyExists; NotFound."""
        if storage_location:
            raise NotServed("laketop keeps the files of models in its own folder.")
        given, full_name = tags_of(tags), f"{catalog_name}.{schema_name}.{name}"
        return await self.of_registry(
            lambda: self._shown(
                self.registrations.create_model(
                    full_name,
                    caller=self.workspace.user,
                    description=comment,
                    tags=given,
                    deployment_job_id=deployment_job_id,
                )
            )
        )

    def require_manage(self, full_name: str) -> None:
        """Let only callers pass who may grant on a model or function. Errors: PermissionDenied."""
        home = Lake(self.workspace.metastore / "catalog")
        names = full_name.split(".")
        if self.workspace.is_admin:
            return
        kinds = home.routines(*names)
        if "functions" in kinds:
            Securables(self.workspace).require_manage("FUNCTION", full_name)
        if "models" in kinds or "functions" not in kinds:
            owner = self._translated(lambda: self._registry.model(full_name)).owner
            ModelRights(self.workspace).allow("MANAGE", full_name, owner)

    @route("GET /api/2.1/unity-catalog/models/{full_name}")
    async def get(self, full_name: str, include_aliases: bool = False) -> dict[str, Any]:
        """Return a model, its aliases if asked for."""
        lake.parts(full_name, 3, "model")
        return await self.of_registry(
            lambda: self._shown(self._registry.model(full_name), with_aliases=include_aliases)
        )

    @route("GET /api/2.1/unity-catalog/models")
    async def list(
        self,
        catalog_name: str | None = None,
        schema_name: str | None = None,
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the models, of one schema if it is named, by name."""
        if (catalog_name is None) != (schema_name is None):
            raise BadRequest("catalog_name and schema_name come together.")
        prefix = "" if catalog_name is None else f"{catalog_name}.{schema_name}."
        every = await self.of_registry(self._all)
        sees = ModelRights(self.workspace).sees
        known = {one.full_name or "": one for one in every if sees(one.full_name or "", one.owner)}
        chosen = sorted(name for name in known if name.startswith(prefix))
        names, more = page_of(chosen, max_results, page_token)
        return {"registered_models": [known[name].as_dict() for name in names], **more}

    @route("PATCH /api/2.1/unity-catalog/models/{full_name}")
    async def update(
        self,
        full_name: str,
        comment: str | None = None,
        owner: str | None = None,
        new_name: str | None = None,
        deployment_job_id: str | None = None,
    ) -> dict[str, Any]:
        """Change comment, owner or deployment job. Errors: NotImplemented for another name."""
        lake.parts(full_name, 3, "model")
        if new_name is not None and new_name != full_name.rpartition(".")[2]:
            raise NotServed("laketop does not rename a registered model.")
        return await self.of_registry(
            lambda: self._shown(
                self.registrations.update_model(
                    full_name,
                    description=comment,
                    owner=owner,
                    deployment_job_id=deployment_job_id,
                )
            )
        )

    @route("PATCH /api/2.1/unity-catalog/securable-tags/{securable_type}/{securable_full_name}")
    async def update_tag_securable_assignments(
        self, securable_type: str, securable_full_name: str, changes: dict[str, Any]
    ) -> None:
        """Set and remove tags of a model. Errors: NotImplemented for another securable."""
        check_is_model(securable_type)
        lake.parts(securable_full_name, 3, "model")
        added, removed = changes_of(changes)

        await self.of_registry(
            lambda: self._registry.change_model_tags(securable_full_name, added, removed)
        )

    @route("DELETE /api/2.1/unity-catalog/models/{full_name}")
    async def delete(self, full_name: str) -> None:
        """Delete a model and its versions."""
        lake.parts(full_name, 3, "model")
        await self.of_registry(lambda: self._registry.delete_model(full_name))
        Privileges(Lake(self.workspace.metastore / "catalog")).forget(full_name, "FUNCTION")

    @route("PUT /api/2.1/unity-catalog/models/{full_name}/aliases/{alias}")
    async def set_alias(self, full_name: str, alias: str, version_num: int) -> RegisteredModelAlias:
        """Point an alias at a version."""
        catalog, schema, model = lake.parts(full_name, 3, "model")
        await self.of_registry(lambda: self._registry.set_alias(full_name, alias, version_num))
        return RegisteredModelAlias(
            alias_name=alias,
            version_num=version_num,
            catalog_name=catalog,
            schema_name=schema,
            model_name=model,
        )

    @route("DELETE /api/2.1/unity-catalog/models/{full_name}/aliases/{alias}")
    async def delete_alias(self, full_name: str, alias: str) -> None:
        """Delete an alias."""
        lake.parts(full_name, 3, "model")
        await self.of_registry(lambda: self._registry.delete_alias(full_name, alias))

    def existing(self, full_name: str) -> None:
        """Check that a model is there; not to be called inside a transaction. Errors: NotFound."""
        self._translated(lambda: self._registry.model(full_name))

    async def names_in(self, *names: str) -> Names:
        """Return the full names of the models of a catalog or a schema."""
        if not (self.workspace.metastore / "mlflow.db").exists():
            return []  # nobody has made one, and to look would load MLflow
        prefix = ".".join(names) + "."
        every = await self.of_registry(self._all)
        found = (one.full_name or "" for one in every)
        return [name for name in found if name.startswith(prefix)]

    @property
    def registrations(self) -> Any:
        """The registry with what comes before and after it acts."""
        return self.workspace.model_registry.registrations

    @property
    def _registry(self) -> Any:
        return self.workspace.model_registry.registry

    def _shown(self, model: Any, *, with_aliases: bool = False) -> dict[str, Any]:
        """Return a model with what MLflow's client reads of it beyond the SDK's dataclass."""
        told = _info(model, with_aliases=with_aliases).as_dict()
        if model.tags:
            told["tags"] = shown_tags(model.tags)
        if model.deployment_job_id:
            told["deployment_job_id"] = model.deployment_job_id
        connection = self.registrations.deployments.connection(model.deployment_job_id)
        return {**told, "deployment_job_state": connection}

    def _all(self) -> Models:
        found: Models = []
        token: str | None = None
        while True:
            page, token = self._registry.search_models(max_results=1000, page_token=token)
            found += [_info(model) for model in page]
            if token is None:
                return found

    async def of_registry(self, act: Callable[[], Got]) -> Got:
        """Return what `act` does with the registry, in a thread; MLflow's errors translated."""
        return await anyio.to_thread.run_sync(functools.partial(self._translated, act))

    @staticmethod
    def _translated(act: Callable[[], Got]) -> Got:
        from mlflow.exceptions import MlflowException

        try:
            return act()
        except MlflowException as error:
            code = error.error_code
            kind = NotFound if code == "RESOURCE_DOES_NOT_EXIST" else BadRequest
            raise ERROR_CODE_MAPPING.get(code, kind)(error.message, error_code=code) from error


def _info(model: Any, *, with_aliases: bool = False) -> RegisteredModelInfo:
    catalog, schema, name = model.name.split(".")
    aliases = [
        RegisteredModelAlias(alias_name=alias, version_num=version)
        for alias, version in sorted(model.aliases.items())
    ]
    return RegisteredModelInfo(
        name=name,
        catalog_name=catalog,
        schema_name=schema,
        full_name=model.name,
        comment=model.description or None,
        owner=model.owner or None,
        aliases=aliases if with_aliases else None,
        created_at=model.created_ms,
        created_by=model.owner or None,
        updated_at=model.updated_ms,
        updated_by=model.owner or None,
        storage_location=f"dbfs:/Models/{catalog}/{schema}/{name}",
    )

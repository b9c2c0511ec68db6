"""The registries of models: Unity Catalog's, as `databricks-uc` asks, and the workspace's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from databricks.sdk.errors.platform import (
    ERROR_CODE_MAPPING,
    BadRequest,
    InvalidParameterValue,
    PermissionDenied,
)
from databricks.sdk.service.ml import ModelDatabricks

from laketop.workspace.kept import Record
from laketop.workspace.model_files import seal_of
from laketop.workspace.model_rights import ModelRights
from laketop.workspace.pages import page_in_order
from laketop.workspace.paths import confined
from laketop.workspace.permitted import PermittedService
from laketop.workspace.service import mount, route
from laketop.workspace.workspace_models import WorkspaceModels

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from laketop.workspace.registrations import Registrations
    from laketop.workspace.registry import Registry


_MODEL_DEPTH = 4
"""Segments of `/Models/<catalog>/<schema>/<model>/<version>` before the version's own number."""


class ModelRegistry(PermittedService):
    """Registered models, their versions, aliases and tags.

    Those of Unity Catalog are MLflow's own; of the workspace's registry there are the models that
    bundles describe, without versions: every route of those answers that it is not served.
    """

    kind = "Registered model"
    shape = ModelDatabricks
    objects = "registered-models"
    id_field = "id"

    @route("POST /api/2.0/mlflow/registered-models/create")
    def create_model(
        self, name: str, description: str | None = None, tags: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Keep a new model of the workspace's registry."""
        sent = {"name": name, "description": description or None, "tags": tags or []}
        user = self.workspace.user
        made = self._models.add(sent, user=user, now_ms=self.workspace.now_ms())
        return {"registered_model": _shown(made)}

    @route("GET /api/2.0/mlflow/databricks/registered-models/get")
    def get_model(self, name: str) -> dict[str, Any]:
        """Return a model of the workspace's registry, and the caller's level on it."""
        found = self._model(name, "CAN_READ")
        level = self.workspace.permissions.level_of_caller(self.objects, found["id"])
        return {"registered_model_databricks": {**found, "permission_level": level}}

    @route("GET /api/2.0/mlflow/registered-models/get")
    def get_registered_model(self, name: str) -> dict[str, Any]:
        """Return a model of the workspace's registry as MLflow's client asks for it."""
        return {"registered_model": _shown(self._model(name, "CAN_READ"))}

    @route("GET /api/2.0/mlflow/registered-models/list")
    def list_models(self, max_results: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the models of the workspace's registry that the caller may see, by pages."""
        return self.search_models(max_results=max_results, page_token=page_token)

    @route("GET /api/2.0/mlflow/registered-models/search")
    def search_models(
        self,
        filter: str = "",  # noqa: A002 - the name on the wire
        max_results: int = 0,
        order_by: str = "",
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the models of the workspace's registry that a filter of names lets through.

        Of several orders the first counts, and then the name.
        """
        seen = self._allowed("CAN_READ")
        found = self._models.searched(filter, order_by)
        shown = {one["name"]: one for one in found if seen(one)}
        names, more = page_in_order(list(shown), max_results, page_token)
        return {"registered_models": [_shown(shown[name]) for name in names], **more}

    @route("PATCH /api/2.0/mlflow/registered-models/update")
    def update_model(self, name: str, description: str | None = None) -> dict[str, Any]:
        """Describe a model of the workspace's registry. An empty description is refused."""
        if not description:
            raise InvalidParameterValue("Description cannot be empty.")
        return self._changed(name, description=description)

    @route("POST /api/2.0/mlflow/registered-models/rename")
    def rename_model(self, name: str, new_name: str) -> dict[str, Any]:
        """Give a model of the workspace's registry another name."""
        return self._changed(name, name=new_name)

    @route("POST /api/2.0/mlflow/registered-models/set-tag")
    def set_model_tag(self, name: str, key: str, value: str = "") -> None:
        """Set a tag of a model of the workspace's registry."""
        self._changed(name, tags=[*self._tags_but(name, key), {"key": key, "value": value}])

    @route("DELETE /api/2.0/mlflow/registered-models/delete-tag")
    def delete_model_tag(self, name: str, key: str) -> None:
        """Delete a tag of a model of the workspace's registry; fine if it has none of this name."""
        self._changed(name, tags=self._tags_but(name, key))

    @route("DELETE /api/2.0/mlflow/registered-models/delete")
    def delete_model(self, name: str) -> None:
        """Forget a model of the workspace's registry."""
        self._forget(self._model(name, "CAN_MANAGE")["id"])

    @property
    def _models(self) -> WorkspaceModels:
        return WorkspaceModels(self._kept)

    def _model(self, name: str, level: str) -> Record:
        return self._require(self._models.named(name)["id"], level)

    def _changed(self, model: str, /, **changed: Any) -> dict[str, Any]:
        found = self._model(model, "CAN_MANAGE" if "name" in changed else "CAN_EDIT")
        new = self._models.change(found, changed, now_ms=self.workspace.now_ms())
        return {"registered_model": _shown(new)}

    def _tags_but(self, name: str, key: str) -> list[dict[str, Any]]:
        return [tag for tag in self._models.named(name)["tags"] if tag["key"] != key]

    @mount("/api/2.0/mlflow/unity-catalog")
    def unity_catalog(self) -> ASGIApp:
        """Return the handlers of MLflow's Unity Catalog service."""
        parts = self.workspace.mlflow.parts()
        from laketop.workspace.mlflow_app import app_of
        from laketop.workspace.unity_dialect import UnityDialect

        return app_of(UnityDialect(self.registrations).routes(), parts.backend)

    @property
    def registrations(self) -> Registrations:
        """The registry with what comes before and after it acts; the first use imports MLflow."""
        registry = self.registry
        from laketop.workspace.registrations import Registrations

        return Registrations(registry, self._logged_model, self.workspace.model_deployments)

    @property
    def registry(self) -> Registry:
        """The registry; the first use imports MLflow, which takes seconds."""
        registry: Registry = self.workspace.mlflow.parts().registry
        return registry

    def files_of(self, name: str, version: int) -> tuple[Path, dict[str, str]]:
        """Return the folder of a registered version, and the sha256 of each file in it by path.

        The digests are those of the day on which it was registered: who loads the files compares
        them first, with `model_files.changed`. Not to be called inside a transaction.
        Errors: NotFound, or BadRequest for a version that is not READY.
        """
        registry = self.registry
        from mlflow.exceptions import MlflowException

        try:
            return registry.folder(name, version), registry.file_digests(name, version)
        except MlflowException as error:
            kind = ERROR_CODE_MAPPING.get(error.error_code, BadRequest)
            raise kind(error.message, error_code=error.error_code) from error

    @route("GET /api/laketop/1/models/{full_name}/versions/{version}/lineage")
    async def lineage(self, full_name: str, version: int) -> dict[str, Any]:
        """Return by what a version was made, from which tables, and what has read it since."""
        return await anyio.to_thread.run_sync(lambda: self._lineage(full_name, version))

    def _lineage(self, name: str, version: int) -> dict[str, Any]:
        registry = self.registry
        from mlflow.exceptions import MlflowException

        try:
            return registry.lineage_of(name, version)
        except MlflowException as error:
            kind = ERROR_CODE_MAPPING.get(error.error_code, BadRequest)
            raise kind(error.message, error_code=error.error_code) from error

    def check_open(self, path: str) -> None:
        """Check that a path of the Files API is not of a version that is registered already.

        Errors: PermissionDenied for a version that was finalized; its files never change.
        """
        names = [name for name in path.split("/") if name]
        if names[:1] == ["Models"] and len(names) > _MODEL_DEPTH:
            folder = confined(self.workspace.metastore / "models", "/".join(names[1:5]))
            if seal_of(folder).exists():
                raise PermissionDenied(
                    f"Version {names[4]!r} of model {'.'.join(names[1:4])!r} is registered; "
                    "its files cannot be changed."
                )
            self._check_right("CREATE MODEL VERSION", ".".join(names[1:4]))

    def check_read(self, name: str) -> None:
        """Let only callers pass who may load a model. Errors: PermissionDenied."""
        self._check_right("EXECUTE", name)

    def _check_right(self, right: str, name: str) -> None:
        if not self.workspace.is_admin:  # for whom MLflow need not be loaded
            owner = self.registry.owner_of(name)
            ModelRights(self.workspace).allow(right, name, owner)

    def _logged_model(self, model_id: str) -> Any | None:
        from mlflow.exceptions import MlflowException

        try:
            return self.workspace.mlflow.parts().backend.tracking.get_logged_model(model_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise


def _shown(model: Record) -> Record:
    """Return a model of the workspace's registry without its id, which `get_model` alone tells."""
    return {name: value for name, value in model.items() if name != "id"}

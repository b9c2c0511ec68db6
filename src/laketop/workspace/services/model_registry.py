"""The registry of models in Unity Catalog, in the dialect of MLflow's `databricks-uc`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from databricks.sdk.errors.platform import (
    ERROR_CODE_MAPPING,
    BadRequest,
    PermissionDenied,
)

from laketop.workspace.model_files import seal_of
from laketop.workspace.model_rights import ModelRights
from laketop.workspace.paths import confined
from laketop.workspace.service import Service, mount, route

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from laketop.workspace.registry import Registry


_MODEL_DEPTH = 4
"""Segments of `/Models/<catalog>/<schema>/<model>/<version>` before the version's own number."""


class ModelRegistry(Service):
    """Registered models, their versions, aliases and tags."""

    @mount("/api/2.0/mlflow/unity-catalog")
    def unity_catalog(self) -> ASGIApp:
        """Return the handlers of MLflow's Unity Catalog service."""
        parts = self.workspace.mlflow.parts()
        from laketop.workspace.mlflow_app import app_of
        from laketop.workspace.unity_dialect import UnityDialect

        dialect = UnityDialect(parts.registry, self._logged_model, self.workspace.model_deployments)
        return app_of(dialect.routes(), parts.backend)

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

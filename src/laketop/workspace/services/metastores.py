"""The one metastore of the project."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import NotFound

from laketop.workspace.service import Service, route


class Metastores(Service):
    """The metastore of all workspaces, whose id is that of the first one.

    Source: databricks-sdk, `catalog.MetastoresAPI`.
    """

    @route("GET /api/2.1/unity-catalog/current-metastore-assignment")
    def current(self) -> dict[str, Any]:
        """Return which metastore and catalog the workspace begins with."""
        return {
            "metastore_id": self.workspace.metastore_id,
            "workspace_id": int(self.workspace.workspace_id),
            "default_catalog_name": "main",
        }

    @route("GET /api/2.1/unity-catalog/metastore_summary")
    def summary(self) -> dict[str, Any]:
        """Return the metastore."""
        return self._shown()

    @route("GET /api/2.1/unity-catalog/metastores")
    def list(self) -> dict[str, Any]:
        """Return the metastores, which is one."""
        self.workspace.require_admin()
        return {"metastores": [self._shown()]}

    @route("GET /api/2.1/unity-catalog/metastores/{id}")
    def get(self, id: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        """Return a metastore."""
        self.workspace.require_admin()
        if id != self.workspace.metastore_id:
            raise NotFound(
                f"Metastore '{id[:100]}' does not exist.",
                error_code="METASTORE_DOES_NOT_EXIST",
            )
        return self._shown()

    def _shown(self) -> dict[str, Any]:
        return {
            "metastore_id": self.workspace.metastore_id,
            "name": "laketop",
            "owner": self.workspace.settings.user,
            "cloud": "local",
            "region": "local",
            "global_metastore_id": self.workspace.global_metastore_id,
            "storage_root": (self.workspace.metastore / "catalog").as_uri(),
            "delta_sharing_scope": "INTERNAL",
            "privilege_model_version": "1.0",
        }

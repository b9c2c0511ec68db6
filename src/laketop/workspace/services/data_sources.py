"""What older clients call the warehouses."""

from __future__ import annotations

from typing import Any

from laketop.workspace.service import Request, Service, route


class DataSources(Service):
    """The `warehouses`, each under its own id. Source: databricks-sdk, `sql.DataSourcesAPI`."""

    @route("GET /api/2.0/preview/sql/data_sources")
    def list(self, request: Request) -> Any:
        """Return the warehouses that the caller may see."""
        fixed = {"type": "databricks_internal", "syntax": "sql", "paused": 0, "view_only": False}
        return [
            {"id": one["id"], "warehouse_id": one["id"], "name": one["name"], **fixed}
            for one in self.workspace.warehouses.list(request)["warehouses"]
        ]

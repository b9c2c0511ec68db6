"""The schemas of the catalog `system` that laketop fills."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import NotFound

from laketop.workspace.pages import page_of
from laketop.workspace.service import Service, route
from laketop.workspace.system_tables import TABLES

_NAMES = {name.split(".")[-2] for name in TABLES}


class SystemSchemas(Service):
    """The system schemas, which are always enabled; none is disabled.

    Source: databricks-sdk, `catalog.SystemSchemasAPI`.
    """

    @route("GET /api/2.1/unity-catalog/metastores/{metastore_id}/systemschemas")
    def list(
        self, metastore_id: str, max_results: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the schemas by name, by pages."""
        self.workspace.metastores.get(metastore_id)
        names, more = page_of(sorted(_NAMES), max_results, page_token)
        return {"schemas": [{"schema": n, "state": "ENABLE_COMPLETED"} for n in names], **more}

    @route("PUT /api/2.1/unity-catalog/metastores/{metastore_id}/systemschemas/{schema_name}")
    def enable(self, metastore_id: str, schema_name: str) -> None:
        """Do nothing for a schema that is there. Errors: NotFound."""
        self.workspace.metastores.get(metastore_id)
        if schema_name not in _NAMES:
            raise NotFound(
                f"The system schema '{schema_name[:100]}' is none of laketop's.",
                error_code="SCHEMA_DOES_NOT_EXIST",
            )

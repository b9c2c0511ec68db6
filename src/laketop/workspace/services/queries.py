"""Saved queries of Databricks SQL, which sql tasks run."""

from __future__ import annotations

from typing import Any

from databricks.sdk.service.sql import Query

from laketop.workspace.saved import SavedService
from laketop.workspace.service import route


class Queries(SavedService):
    """Saved queries of Databricks SQL, which sql tasks run.

    Source: databricks-sdk, `sql.QueriesAPI`.
    """

    kind = "query"
    shape = Query
    objects = "queries"

    @route("POST /api/2.0/sql/queries")
    def create(self, query: dict[str, Any] | None = None) -> dict[str, Any]:
        """Keep a new query."""
        now_ms = self.workspace.now_ms()
        return self._saved.create(query or {}, owner=self.workspace.user, now_ms=now_ms)

    @route("GET /api/2.0/sql/queries/{id}")
    def get(self, id: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        """Return a query."""
        self._require(id, "CAN_VIEW")
        return self._saved.get(id)

    @route("GET /api/2.0/sql/queries")
    def list(self, page_size: int = 20, page_token: str | None = None) -> dict[str, Any]:
        """Return the queries that the caller may see, by pages."""
        return self._saved.page(page_size, page_token, self._sees)

    @route("PATCH /api/2.0/sql/queries/{id}")
    def update(
        self,
        id: str,  # noqa: A002 - the name on the wire
        update_mask: str,
        query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change fields of a query."""
        self._require(id, "CAN_EDIT")
        return self._saved.update(id, query or {}, update_mask, now_ms=self.workspace.now_ms())

    @route("GET /api/2.0/sql/queries/{id}/visualizations")
    def list_visualizations(
        self,
        id: str,  # noqa: A002 - the name on the wire
        page_size: int = 0,
        page_token: str | None = None,
    ) -> Any:
        """Return the visualizations of a query, by pages."""
        self._require(id, "CAN_VIEW")
        return self.workspace.query_visualizations.of(id, page_size, page_token)

    def restore(self, name: str) -> None:
        """Take a query of the caller's out of the trash. Errors: ResourceDoesNotExist."""
        trashed = self._saved.trashed(name)
        if trashed is not None and trashed["owner_user_name"] != self.workspace.user:
            self.workspace.require_admin()
        self._saved.restore(name)

    @route("DELETE /api/2.0/sql/queries/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the name on the wire
        """Put a query into the trash."""
        self._require(id, "CAN_MANAGE")
        self._saved.delete(id)
        self.workspace.permissions.forget("queries", id)

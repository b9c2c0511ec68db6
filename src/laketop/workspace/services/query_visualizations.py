"""How the results of saved queries would be drawn: kept as it was sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.sql import Visualization

from laketop.workspace.kept import Kept, Record, iso, masked
from laketop.workspace.service import Service, route

_SET_BY_US = ("id", "create_time", "update_time")


class QueryVisualizations(Service):
    """Visualizations of queries, with the permissions of those.

    Source: databricks-sdk, `sql.QueryVisualizationsAPI`.
    """

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("visualizations"), "Visualization", Visualization)

    @route("POST /api/2.0/sql/visualizations")
    def create(self, visualization: dict[str, Any]) -> Record:
        """Keep a new visualization of a query."""
        return self.add(visualization)

    @route("PATCH /api/2.0/sql/visualizations/{id}")
    def update(
        self,
        id: str,  # noqa: A002 - the name on the wire
        update_mask: str,
        visualization: dict[str, Any],
    ) -> Record:
        """Change the fields of a visualization that the mask names; it stays at its query."""
        return self.change(id, visualization, update_mask)

    @route("DELETE /api/2.0/sql/visualizations/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the name on the wire
        """Forget a visualization."""
        self._require(id)
        self._kept.remove(id)

    def add(self, sent: Mapping[str, Any]) -> Record:
        """Keep a new visualization of a query that the caller may edit."""
        checked = self._kept.checked(sent, without=_SET_BY_US)
        if not checked.get("query_id"):
            raise InvalidParameterValue("Missing required field: query_id")
        self._require_query(checked["query_id"])
        id_, now = str(uuid.uuid4()), iso(self.workspace.now_ms())
        return self._kept.add(id_, {**checked, "id": id_, "create_time": now, "update_time": now})

    def change(self, name: str, sent: Mapping[str, Any], update_mask: str) -> Record:
        """Change a visualization of a query that the caller may edit."""
        old = self._require(name)
        fixed = (*_SET_BY_US, "query_id")
        new = masked(old, sent, update_mask, shape=Visualization, fixed=fixed)
        return self._kept.put(
            name, {**self._kept.checked(new), "update_time": iso(self.workspace.now_ms())}
        )

    def of(self, query_id: str, page_size: int, page_token: str | None) -> dict[str, Any]:
        """Return a page of the visualizations of a query, whoever asks."""
        return self._kept.page(
            "results", page_size, page_token, lambda one: bool(one["query_id"] == query_id)
        )

    def _require(self, name: str) -> Record:
        found = self._kept.existing(name)
        self._require_query(found["query_id"])
        return found

    def _require_query(self, query_id: str) -> None:
        self.workspace.queries.existing(query_id)
        self.workspace.permissions.require("queries", query_id, "CAN_EDIT")

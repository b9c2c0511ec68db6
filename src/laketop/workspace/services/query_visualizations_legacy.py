"""Visualizations of queries, by the older of their two APIs."""

from __future__ import annotations

import json
from typing import Any

from laketop.workspace.kept import Record
from laketop.workspace.service import Fields, Service, route

_NAMES = {"name": "display_name", "type": "type"}


class QueryVisualizationsLegacy(Service):
    """The `query_visualizations`. Source: databricks-sdk, `sql.QueryVisualizationsLegacyAPI`."""

    @route("POST /api/2.0/preview/sql/visualizations")
    def create(self, query_id: str, type: str, options: Any, name: str = "") -> Record:  # noqa: A002
        """Keep a new visualization of a query."""
        sent = {"query_id": query_id, "type": type, "display_name": name}
        made = self.workspace.query_visualizations.add(
            {**sent, "serialized_options": json.dumps(options)}
        )
        return _shown(made)

    @route("POST /api/2.0/preview/sql/visualizations/{id}")
    def update(self, id: str, fields: Fields) -> Record:  # noqa: A002 - the name on the wire
        """Change what was sent of a visualization."""
        sent = {new: fields[old] for old, new in _NAMES.items() if old in fields}
        if "options" in fields:
            sent["serialized_options"] = json.dumps(fields["options"])
        return _shown(self.workspace.query_visualizations.change(id, sent, "*"))

    @route("DELETE /api/2.0/preview/sql/visualizations/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the name on the wire
        """Forget a visualization."""
        self.workspace.query_visualizations.delete(id)


def _shown(one: Record) -> Record:
    names = {"id": "id", "created_at": "create_time", "updated_at": "update_time"}
    told = {old: one[new] for old, new in {**names, **_NAMES}.items() if new in one}
    return {**told, "options": json.loads(one.get("serialized_options") or "{}")}

"""Monitors of tables: on the local workspace objects that nobody computes."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_FIELDS = (
    *("output_schema_name", "assets_dir", "baseline_table_name", "custom_metrics", "schedule"),
    *("data_classification_config", "inference_log", "notifications", "slicing_exprs"),
    *("snapshot", "time_series"),
)
_OF_THE_CALL = ("skip_builtin_dashboard", "warehouse_id")
"""What only the creation takes, and no answer tells."""


class QualityMonitors(Kind):
    """A monitor, whose id is the full name of its table; the tables it has filled stay.

    Source: databricks-sdk, `catalog.QualityMonitorsAPI`.
    """

    immutable = frozenset({"table_name", "assets_dir"})
    id_field = "table_name"

    def create(self, body: Body) -> str:
        """Create it and return the full name of its table."""
        sent = {name: body[name] for name in (*_FIELDS, *_OF_THE_CALL) if name in body}
        id_ = str(body.get("table_name"))
        self.api.do("POST", _path(id_), body=sent)
        return id_

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        told = told_at(self.api, _path(id_))
        if told is None:
            return None
        found: dict[str, Any] = {name: told[name] for name in _FIELDS if told.get(name) is not None}
        schedule = found.get("schedule")
        if schedule:  # whether it is paused is told, and not the bundle's to say
            found["schedule"] = {k: v for k, v in schedule.items() if k != "pause_status"}
        return found

    def update(self, id_: str, body: Body, now: Body) -> None:  # noqa: ARG002 - all is replaced
        """Replace its settings."""
        sent = {name: body[name] for name in _FIELDS if name in body and name != "assets_dir"}
        self.api.do("PUT", _path(id_), body=sent)

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - it holds no data itself
        """Delete it; fine if it is gone."""
        remove(self.api, "DELETE", _path(id_))

    def find(self, body: Body) -> str | None:
        """Return the name of its table if that has a monitor."""
        id_ = str(body.get("table_name"))
        return id_ if self.read(id_) is not None else None


def _path(table_name: str) -> str:
    return f"/api/2.1/unity-catalog/tables/{table_name}/monitor"

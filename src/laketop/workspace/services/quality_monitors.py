"""Monitors of tables: kept as they were sent, and computed by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.service.catalog import MonitorInfo, MonitorInfoStatus

from laketop.workspace import lake
from laketop.workspace.kept import Kept, Record
from laketop.workspace.permitted import check_cron
from laketop.workspace.service import Fields, route
from laketop.workspace.unity_service import UnityService

_SET_BY_US = (
    *("table_name", "status", "monitor_version", "dashboard_id", "latest_monitor_failure_msg"),
    *("profile_metrics_table_name", "drift_metrics_table_name"),
)
_KINDS = ("inference_log", "snapshot", "time_series")


class QualityMonitors(UnityService):
    """Monitors as objects, each under the name of its table, which need not be there.

    Source: databricks-sdk, `catalog.QualityMonitorsAPI`.
    """

    shared = True

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("objects"), "Monitor of table", MonitorInfo, code="MONITOR")

    @route("POST /api/2.1/unity-catalog/tables/{table_name}/monitor")
    def create(self, table_name: str, fields: Fields) -> Record:
        """Keep the monitor of a table, which has one at most."""
        name = self._managed(table_name)
        if not fields.get("assets_dir"):
            raise InvalidParameterValue("Missing required field: assets_dir")
        return self._kept.add(name, self._monitor(name, fields, version=0))

    @route("GET /api/2.1/unity-catalog/tables/{table_name}/monitor")
    def get(self, table_name: str) -> Record:
        """Return the monitor of a table."""
        name = _full(table_name)
        self._rights.require("SELECT", "TABLE", name)
        return self._kept.existing(name)

    @route("PUT /api/2.1/unity-catalog/tables/{table_name}/monitor")
    def update(self, table_name: str, fields: Fields) -> Record:
        """Replace the monitor of a table; its folder stays."""
        name = self._managed(table_name)
        old = self._kept.existing(name)
        sent = {**fields, "assets_dir": old["assets_dir"]}
        return self._kept.put(name, self._monitor(name, sent, version=old["monitor_version"] + 1))

    @route("DELETE /api/2.1/unity-catalog/tables/{table_name}/monitor")
    def delete(self, table_name: str) -> None:
        """Forget the monitor of a table."""
        self._kept.remove(self._managed(table_name))

    @route("GET /api/2.1/unity-catalog/tables/{table_name}/monitor/refreshes")
    def list_refreshes(self, table_name: str) -> dict[str, Any]:
        """Return the refreshes of a monitor, which are none."""
        self.get(table_name)
        return {"refreshes": []}

    def _managed(self, table_name: str) -> str:
        name = _full(table_name)
        self._rights.require_manage("TABLE", name)
        return name

    def _monitor(self, name: str, sent: Mapping[str, Any], *, version: int) -> Record:
        own = {field: value for field, value in sent.items() if field not in _SET_BY_US}
        kinds = [kind for kind in _KINDS if own.get(kind) is not None]
        if len(kinds) != 1:
            raise BadRequest(f"A monitor is one of {', '.join(_KINDS)}; {len(kinds)} are given.")
        schedule = own.get("schedule")
        if isinstance(schedule, Mapping):
            zone = str(schedule.get("timezone_id"))
            check_cron(str(schedule.get("quartz_cron_expression")), zone)
        made = {
            "table_name": name,
            # Nobody computes its metrics: it never becomes active.
            "status": MonitorInfoStatus.MONITOR_STATUS_PENDING.value,
            "monitor_version": version,
            **_metrics(name, own.get("output_schema_name")),
        }
        return self._kept.checked({**own, **made})


def _full(table_name: str) -> str:
    return ".".join(lake.parts(table_name, 3, "table"))


def _metrics(name: str, schema: Any) -> dict[str, str]:
    """Return the names of the tables that a refresh would write. Source: Databricks docs."""
    if not isinstance(schema, str) or not schema:
        raise InvalidParameterValue("Missing required field: output_schema_name")
    table = f"{'.'.join(lake.parts(schema, 2, 'schema'))}.{name.rpartition('.')[2]}"
    return {
        f"{what}_metrics_table_name": f"{table}_{what}_metrics" for what in ("profile", "drift")
    }

"""Monitors of tables, through the official client."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.errors import NotImplemented as NotServed
from databricks.sdk.service.catalog import (
    MonitorCronSchedule,
    MonitorInfoStatus,
    MonitorSnapshot,
    MonitorTimeSeries,
)

TABLE = "main.default.monitored"


def test_a_monitor_is_kept_replaced_and_forgotten_and_computes_nothing(
    client: WorkspaceClient,
) -> None:
    api = client.quality_monitors
    snapshot = MonitorSnapshot()
    made = api.create(TABLE, "main.default", "/Shared/m", snapshot=snapshot, slicing_exprs=["a"])
    assert made.status is MonitorInfoStatus.MONITOR_STATUS_PENDING
    assert made.drift_metrics_table_name == "main.default.monitored_drift_metrics"
    assert api.get(TABLE) == made
    with pytest.raises(BadRequest, match="already exists"):
        api.create(TABLE, "main.default", "/Shared/m", snapshot=snapshot)
    series = MonitorTimeSeries(timestamp_col="at", granularities=["1 day"])
    new = api.update(TABLE, "main.default", time_series=series)
    assert (new.time_series, new.snapshot, new.slicing_exprs) == (series, None, None)
    assert (new.assets_dir, new.monitor_version) == ("/Shared/m", 1)
    assert api.list_refreshes(TABLE).refreshes in (None, [])
    with pytest.raises(NotServed, match="refreshes"):
        api.run_refresh(TABLE)
    api.delete(TABLE)
    for call in (api.get, api.delete, api.list_refreshes):
        with pytest.raises(NotFound, match="does not exist"):
            call(TABLE)


def test_what_is_no_monitor_is_refused(client: WorkspaceClient) -> None:
    api = client.quality_monitors
    with pytest.raises(BadRequest, match="0 are given"):
        api.create(TABLE, "main.default", "/Shared/m")
    never = MonitorCronSchedule(quartz_cron_expression="never", timezone_id="UTC")
    with pytest.raises(InvalidParameterValue):
        api.create(TABLE, "main.default", "/m", snapshot=MonitorSnapshot(), schedule=never)
    with pytest.raises(InvalidParameterValue, match="assets_dir"):
        api.create(TABLE, "main.default", "", snapshot=MonitorSnapshot())


def test_who_does_not_manage_the_table_makes_no_monitor_of_it(ann: WorkspaceClient) -> None:
    with pytest.raises(PermissionDenied):
        ann.quality_monitors.create(TABLE, "main.default", "/m", snapshot=MonitorSnapshot())
    with pytest.raises(PermissionDenied):
        ann.quality_monitors.get(TABLE)

"""Alerts with a query of their own, through the official client."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import AlertEvaluationState as StateOfTask
from databricks.sdk.service.jobs import AlertTask, RunResultState, SqlTask, SqlTaskAlert, Task
from databricks.sdk.service.sql import (
    AlertEvaluationState,
    AlertLifecycleState,
    AlertV2,
    AlertV2Evaluation,
    AlertV2OperandColumn,
    ComparisonOperator,
    CronSchedule,
)
from tests.integration.workspace.test_jobs import _ended, _job, _result, _start

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


@pytest.fixture
def alert(client: WorkspaceClient) -> AlertV2:
    return AlertV2(
        display_name="many",
        query_text="SELECT 1 AS n",
        warehouse_id=next(iter(client.warehouses.list())).id or "",
        evaluation=AlertV2Evaluation(
            source=AlertV2OperandColumn(name="n"),
            comparison_operator=ComparisonOperator.IS_NOT_NULL,
        ),
        schedule=CronSchedule(quartz_cron_schedule="0 0 6 * * ?", timezone_id="UTC"),
    )


def test_an_alert_is_kept_changed_listed_and_forgotten(
    client: WorkspaceClient, alert: AlertV2
) -> None:
    api = client.alerts_v2
    made = api.create_alert(alert)
    assert (made.display_name, made.schedule) == ("many", alert.schedule)
    assert made.evaluation.state is AlertEvaluationState.UNKNOWN
    id_ = made.id or ""
    assert api.get_alert(id_) == made
    other = api.create_alert(dataclasses.replace(alert, display_name="other")).id or ""
    assert {one.id for one in api.list_alerts(page_size=1)} == {id_, other}
    new = dataclasses.replace(alert, display_name="few", query_text="SELECT 2")
    changed = api.update_alert(id_, new, "display_name")
    assert (changed.display_name, changed.query_text) == ("few", "SELECT 1 AS n")
    api.trash_alert(id_)
    assert [one.id for one in api.list_alerts()] == [other]
    assert api.get_alert(id_).lifecycle_state is AlertLifecycleState.DELETED
    for one in (id_, other):
        api.trash_alert(one, purge=True)
    with pytest.raises(ResourceDoesNotExist, match="Alert"):
        api.get_alert(id_)


def test_what_cannot_be_an_alert_is_refused(client: WorkspaceClient, alert: AlertV2) -> None:
    cron = CronSchedule(quartz_cron_schedule="daily", timezone_id="UTC")
    for wrong, said in (
        (dataclasses.replace(alert, display_name=""), "display_name"),
        (dataclasses.replace(alert, schedule=cron), "1 fields"),
    ):
        with pytest.raises(InvalidParameterValue, match=said):
            client.alerts_v2.create_alert(wrong)
    with pytest.raises(ResourceDoesNotExist, match="warehouse none"):
        client.alerts_v2.create_alert(dataclasses.replace(alert, warehouse_id="none"))
    made = client.alerts_v2.create_alert(alert).id or ""
    with pytest.raises(InvalidParameterValue, match="'id', no such field"):
        client.alerts_v2.update_alert(made, alert, "id")
    client.alerts_v2.trash_alert(made, purge=True)


def test_an_alert_of_another_is_hidden_until_it_is_shown(
    client: WorkspaceClient, ann: WorkspaceClient, alert: AlertV2
) -> None:
    id_ = client.alerts_v2.create_alert(alert).id or ""
    with pytest.raises(PermissionDenied, match="CAN_READ"):
        ann.alerts_v2.get_alert(id_)
    assert list(ann.alerts_v2.list_alerts()) == []
    entry = AccessControlRequest(
        user_name=ann.current_user.me().user_name, permission_level=PermissionLevel.CAN_READ
    )
    client.permissions.update("alertsv2", id_, access_control_list=[entry])
    assert ann.alerts_v2.get_alert(id_).id == id_
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        ann.alerts_v2.trash_alert(id_)
    client.alerts_v2.trash_alert(id_, purge=True)


def test_tasks_of_an_alert_that_is_there_find_it_and_one_in_the_trash_is_none(
    client: WorkspaceClient, alert: AlertV2
) -> None:
    id_ = client.alerts_v2.create_alert(alert).id or ""
    client.alerts_v2.trash_alert(id_)
    of_sql = SqlTask(warehouse_id="w", alert=SqlTaskAlert(alert_id=id_))
    own = AlertTask(alert_id=id_)
    tasks = [Task(task_key="sql", sql_task=of_sql), Task(task_key="own", alert_task=own)]
    run = _ended(client, _start(client, _job(client, *tasks)))
    assert _result(run) is RunResultState.FAILED
    for task in run.tasks or []:
        output = client.jobs.get_run_output(task.run_id or 0)
        assert f"{id_} does not exist" in (output.error or "")
        if task.task_key == "own":
            assert output.alert_output is not None
            assert output.alert_output.alert_state is StateOfTask.UNKNOWN

"""Alerts, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import PermissionDenied, ResourceDoesNotExist
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import (
    RunResultState,
    SqlTask,
    SqlTaskAlert,
    SqlTaskQuery,
    Task,
)
from databricks.sdk.service.sql import (
    AlertCondition,
    AlertConditionOperand,
    AlertOperandColumn,
    AlertOperator,
    CreateAlertRequestAlert,
    UpdateAlertRequestAlert,
)
from tests.integration.workspace.test_jobs import _ended, _job, _result, _start

if TYPE_CHECKING:
    from collections.abc import Callable

    from databricks.sdk import WorkspaceClient


def test_an_alert_is_kept_changed_and_forgotten(client: WorkspaceClient) -> None:
    operand = AlertConditionOperand(column=AlertOperandColumn(name="n"))
    condition = AlertCondition(op=AlertOperator.IS_NULL, operand=operand)
    made = client.alerts.create(
        alert=CreateAlertRequestAlert(display_name="a", query_id="q", condition=condition)
    )
    assert made.id is not None
    assert client.alerts.get(made.id).condition == condition
    changed = UpdateAlertRequestAlert(display_name="b")
    assert client.alerts.update(made.id, "display_name", alert=changed).display_name == "b"
    assert [alert.id for alert in client.alerts.list()] == [made.id]
    client.alerts.delete(made.id)
    with pytest.raises(ResourceDoesNotExist, match=r"The alert .* does not exist"):
        client.alerts.get(made.id)


def test_others_do_with_an_alert_what_their_level_lets_them(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    who = ann.current_user.me().user_name or ""
    id_ = client.alerts.create(alert=CreateAlertRequestAlert(display_name="mine")).id or ""
    changed = UpdateAlertRequestAlert(display_name="hers")
    calls: dict[PermissionLevel, Callable[[], object]] = {
        PermissionLevel.CAN_VIEW: lambda: ann.alerts.get(id_),
        PermissionLevel.CAN_EDIT: lambda: ann.alerts.update(id_, "display_name", alert=changed),
        PermissionLevel.CAN_MANAGE: lambda: ann.alerts.delete(id_),
    }
    for call in calls.values():
        with pytest.raises(PermissionDenied):
            call()
    assert id_ not in {one.id for one in ann.alerts.list()}
    levels = [*calls]
    for number, level in enumerate(levels):
        entry = AccessControlRequest(user_name=who, permission_level=level)
        client.permissions.update("alerts", id_, access_control_list=[entry])
        assert id_ in {one.id for one in ann.alerts.list()}
        for above in levels[number + 1 :]:
            with pytest.raises(PermissionDenied):
                calls[above]()
        calls[level]()
    with pytest.raises(ResourceDoesNotExist):
        client.alerts.get(id_)


def test_a_task_of_an_unknown_query_or_alert_fails_and_names_it(client: WorkspaceClient) -> None:
    query = SqlTask(warehouse_id="w", query=SqlTaskQuery(query_id="none"))
    alert = SqlTask(warehouse_id="w", alert=SqlTaskAlert(alert_id="none"))
    tasks = [Task(task_key="q", sql_task=query), Task(task_key="a", sql_task=alert)]
    run = _ended(client, _start(client, _job(client, *tasks)))
    assert _result(run) is RunResultState.FAILED
    for task in run.tasks or []:
        assert task.run_id is not None
        said = client.jobs.get_run_output(task.run_id).error or ""
        assert "none does not exist" in said

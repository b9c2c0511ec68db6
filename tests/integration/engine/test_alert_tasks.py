"""Tasks that evaluate alerts of the workspace: what they find is the state of the alert."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import (
    AlertTask,
    AlertTaskSubscriber,
    Run,
    SqlTask,
    SqlTaskAlert,
    Task,
)
from databricks.sdk.service.sql import (
    AlertCondition,
    AlertConditionOperand,
    AlertConditionThreshold,
    AlertEvaluationState,
    AlertOperandColumn,
    AlertOperandValue,
    AlertOperator,
    AlertState,
    AlertV2,
    AlertV2Evaluation,
    AlertV2Operand,
    AlertV2OperandColumn,
    AlertV2OperandValue,
    ComparisonOperator,
    CreateAlertRequestAlert,
    CreateQueryRequestQuery,
    CronSchedule,
)

from laketop.workspace.daemon import Contact


@pytest.fixture
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=workspace.token)


@pytest.fixture
def alert(client: WorkspaceClient) -> Iterator[str]:
    made = client.alerts_v2.create_alert(
        AlertV2(
            display_name="late",
            query_text="SELECT 3 AS flights",
            warehouse_id=next(iter(client.warehouses.list())).id or "",
            evaluation=AlertV2Evaluation(
                source=AlertV2OperandColumn(name="flights"),
                comparison_operator=ComparisonOperator.GREATER_THAN,
                threshold=AlertV2Operand(value=AlertV2OperandValue(double_value=2)),
            ),
            schedule=CronSchedule(quartz_cron_schedule="0 0 6 * * ?", timezone_id="UTC"),
        )
    )
    yield made.id or ""
    client.alerts_v2.trash_alert(made.id or "", purge=True)


def ended(client: WorkspaceClient, task: Task) -> tuple[Run, str | None]:
    """Run a job of one task and return the run and the state in which the task found its alert."""
    job_id = client.jobs.create(name="alert", tasks=[task]).job_id or 0
    run = client.jobs.run_now(job_id).result()
    client.jobs.delete(job_id)
    output = client.jobs.get_run_output((run.tasks or [])[0].run_id or 0)
    told = output.alert_output or (output.sql_output and output.sql_output.alert_output)
    return run, told.alert_state.value if told and told.alert_state else None


def messages(state: Path, run: Run) -> list[dict[str, Any]]:
    files = (state / "outbox").glob(f"*-{run.run_id}-*on_alert.json")
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def test_what_an_alert_task_finds_is_kept_and_told_to_its_subscribers(
    client: WorkspaceClient, alert: str, laketop_project: Path
) -> None:
    own = AlertTask(alert_id=alert, subscribers=[AlertTaskSubscriber(user_name="ann@here")])
    run, state = ended(client, Task(task_key="watch", alert_task=own))
    assert state == "TRIGGERED"
    (told,) = messages(laketop_project / ".laketop", run)
    assert (told["alert_id"], told["alert_state"], told["to"]) == (alert, "TRIGGERED", ["ann@here"])
    assert (told["task_key"], told["run_name"]) == ("watch", "alert")
    kept = client.alerts_v2.get_alert(alert)
    assert kept.evaluation.state is AlertEvaluationState.TRIGGERED
    assert kept.evaluation.last_evaluated_at
    # Another name is no reason to forget it.
    kept.display_name = "later"
    renamed = client.alerts_v2.update_alert(alert, kept, "display_name")
    assert renamed.evaluation == kept.evaluation


def test_what_a_sql_task_finds_of_an_alert_on_a_query_is_kept(client: WorkspaceClient) -> None:
    query = client.queries.create(
        query=CreateQueryRequestQuery(display_name="q", query_text="SELECT 3 AS flights")
    )
    condition = AlertCondition(
        op=AlertOperator.GREATER_THAN,
        operand=AlertConditionOperand(column=AlertOperandColumn(name="flights")),
        threshold=AlertConditionThreshold(value=AlertOperandValue(double_value=2)),
    )
    asked = CreateAlertRequestAlert(display_name="a", query_id=query.id, condition=condition)
    id_ = client.alerts.create(alert=asked).id or ""
    of_sql = SqlTask(warehouse_id="w", alert=SqlTaskAlert(alert_id=id_))
    _, state = ended(client, Task(task_key="watch", sql_task=of_sql))
    assert state == "TRIGGERED"
    kept = client.alerts.get(id_)
    assert (kept.state, bool(kept.trigger_time)) == (AlertState.TRIGGERED, True)
    client.alerts.delete(id_)
    client.queries.delete(query.id or "")

"""Backfills through laketop's own route; the tasks need no Spark."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    JobParameterDefinition,
    Task,
)

_DAY = 86_400_000


def _job(client: WorkspaceClient, default: str) -> int:
    condition = ConditionTask(left="{{job.parameters.day}}", op=ConditionTaskOp.NOT_EQUAL, right="")
    job_id = client.jobs.create(
        name="filled",
        tasks=[Task(task_key="t", condition_task=condition)],
        parameters=[JobParameterDefinition("day", default)],
    ).job_id
    assert job_id is not None
    return job_id


def _backfill(client: WorkspaceClient, **body: Any) -> list[dict[str, int]]:
    told: Any = client.api_client.do("POST", "/api/laketop/1/backfills", body=body)
    return list(told["runs"])


def test_each_run_knows_its_own_time_and_they_keep_to_the_limit(client: WorkspaceClient) -> None:
    job_id = _job(client, "{{job.trigger.time.iso_date}}")
    made = _backfill(client, job_id=job_id, from_ms=0, to_ms=3 * _DAY, every_ms=_DAY)
    days = []
    for each in made:
        run = client.jobs.wait_get_run_job_terminated_or_skipped(each["run_id"])
        assert run.state is not None
        assert run.state.result_state is not None
        assert run.state.result_state.value == "SUCCESS"
        days.append((run.job_parameters or [])[0].value)
    assert days == ["1970-01-01", "1970-01-02", "1970-01-03"]


def test_a_backfill_that_cannot_be_makes_no_run(client: WorkspaceClient) -> None:
    job_id = _job(client, "always the same")
    with pytest.raises(InvalidParameterValue, match="which time is filled in"):
        _backfill(client, job_id=job_id, from_ms=0, to_ms=_DAY, every_ms=_DAY)
    day = {"day": "{{backfill.iso_date}}"}
    with pytest.raises(InvalidParameterValue, match="at most 100"):
        _backfill(client, job_id=job_id, from_ms=0, to_ms=_DAY, every_ms=60_000, job_parameters=day)
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        _backfill(client, job_id=999_999, from_ms=0, to_ms=_DAY, every_ms=_DAY)
    assert not list(client.jobs.list_runs(job_id=job_id))

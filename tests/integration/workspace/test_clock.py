"""The clock and what it sets off, through the official client; the tasks need no Spark."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import (
    BaseRun,
    ConditionTask,
    ConditionTaskOp,
    Continuous,
    CronSchedule,
    FileArrivalTriggerConfiguration,
    JobParameterDefinition,
    JobSettings,
    PauseStatus,
    PeriodicTriggerConfiguration,
    PeriodicTriggerConfigurationTimeUnit,
    QueueSettings,
    RunJobTask,
    SparkPythonTask,
    TableUpdateTriggerConfiguration,
    Task,
    TriggerSettings,
)
from tests.integration.workspace.conftest import serving

_SECONDS = 300
_HOUR = 3_600_000
_NOON = 1_900_000_000_000 - 1_900_000_000_000 % 86_400_000 + 12 * _HOUR


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def client(project: Path) -> Iterator[WorkspaceClient]:
    with serving(project, project / "cache") as served:
        _move(served.client, "set", now_ms=_NOON)
        yield served.client


def _clock(client: WorkspaceClient) -> dict[str, Any]:
    found: Any = client.api_client.do("GET", "/api/laketop/1/clock")
    return dict(found)


def _move(client: WorkspaceClient, move: str, **body: Any) -> dict[str, Any]:
    client.api_client.do("POST", f"/api/laketop/1/clock/{move}", body=body)
    end = time.monotonic() + _SECONDS
    while (told := _clock(client))["is_moving"]:
        assert time.monotonic() < end, told
        time.sleep(0.02)
    assert not (told["last_move"] or {}).get("error")
    return told


def _task(left: str = "1", right: str = "1") -> Task:
    condition = ConditionTask(left=left, op=ConditionTaskOp.EQUAL_TO, right=right)
    return Task(task_key="t", condition_task=condition)


def _job(client: WorkspaceClient, name: str, task: Task | None = None, **more: Any) -> int:
    job_id = client.jobs.create(name=name, tasks=[task or _task()], **more).job_id
    assert job_id is not None
    return job_id


def _runs(client: WorkspaceClient, job_id: int) -> list[BaseRun]:
    return sorted(client.jobs.list_runs(job_id=job_id), key=lambda run: run.run_id or 0)


def _hours(client: WorkspaceClient, job_id: int) -> list[int]:
    return [((run.start_time or 0) - _NOON) // _HOUR for run in _runs(client, job_id)]


def _cron(text: str = "0 0 * * * ?", zone: str = "UTC", **more: Any) -> CronSchedule:
    return CronSchedule(quartz_cron_expression=text, timezone_id=zone, **more)


def _fails(folder: Path) -> Task:
    (folder / "fails.py").write_text("raise SystemExit(1)")
    python = SparkPythonTask(python_file=str(folder / "fails.py"))
    return Task(task_key="t", spark_python_task=python)


def test_a_day_of_an_hourly_job_is_24_runs_in_order(client: WorkspaceClient) -> None:
    hourly = _job(client, "hourly", schedule=_cron())
    daily = _job(client, "daily", schedule=_cron("0 30 18 * * ?"))
    told = _move(client, "advance", by_ms=24 * _HOUR)
    assert told["now_ms"] >= _NOON + 24 * _HOUR
    assert told["last_move"]["results"] == {"SUCCESS": 25}
    assert _hours(client, hourly) == list(range(1, 25))
    (run,) = _runs(client, daily)
    assert _hours(client, daily) == [6]
    seven = [other for other in _runs(client, hourly) if (other.run_id or 0) > (run.run_id or 0)]
    assert ((seven[0].start_time or 0) - _NOON) // _HOUR == 7


def test_a_run_says_what_started_it(client: WorkspaceClient) -> None:
    minute = "{{job.trigger.time.iso_datetime}}"
    job = _job(
        client,
        "says",
        _task("{{job.parameters.at}} {{job.trigger.type}}", "2030-03-17T13:00:00 periodic"),
        schedule=_cron(),
        parameters=[JobParameterDefinition("at", minute)],
    )
    _move(client, "run")
    (found,) = _runs(client, job)
    run = client.jobs.get_run(found.run_id or 0)
    assert run.trigger is not None
    assert run.trigger.value == "PERIODIC"
    assert run.schedule == _cron()
    task = (run.tasks or [])[0]
    assert task.condition_task is not None
    assert task.condition_task.outcome == "true"


def test_a_paused_job_waits_and_an_unpaused_one_counts_from_then(client: WorkspaceClient) -> None:
    paused = _cron(pause_status=PauseStatus.PAUSED)
    job = _job(client, "paused", schedule=paused)
    client.jobs.run_now(job)  # which resumes nothing
    _move(client, "advance", by_ms=3 * _HOUR)
    assert len(_runs(client, job)) == 1
    client.jobs.update(job, new_settings=JobSettings(schedule=_cron()))
    _move(client, "advance", by_ms=2 * _HOUR)
    assert len(_runs(client, job)) == 3
    client.jobs.delete(job)
    _move(client, "advance", by_ms=2 * _HOUR)
    assert len(_runs(client, job)) == 3


def test_a_change_of_something_else_leaves_an_interval_counting(client: WorkspaceClient) -> None:
    each = PeriodicTriggerConfiguration(interval=4, unit=PeriodicTriggerConfigurationTimeUnit.HOURS)
    job = _job(client, "each", trigger=TriggerSettings(periodic=each))
    _move(client, "advance", by_ms=3 * _HOUR)
    client.jobs.update(job, new_settings=JobSettings(name="other"))
    _move(client, "advance", by_ms=6 * _HOUR)
    assert _hours(client, job) == [4, 8]


def test_new_files_start_a_run_that_knows_where(client: WorkspaceClient, project: Path) -> None:
    place = project / "in"
    place.mkdir()
    (place / "old").write_text("")
    url = f"file:{place}"
    arrival = FileArrivalTriggerConfiguration(url=url, wait_after_last_change_seconds=120)
    task = _task("{{job.trigger.file_arrival.location}}", url)
    job = _job(client, "arrival", task, trigger=TriggerSettings(file_arrival=arrival))
    _move(client, "advance", by_ms=_HOUR)
    assert _runs(client, job) == []
    (place / "new").write_text("")
    _move(client, "advance", by_ms=100_000)
    assert _runs(client, job) == []
    _move(client, "advance", by_ms=100_000)
    (run,) = _runs(client, job)
    assert run.trigger is not None
    assert run.trigger.value == "FILE_ARRIVAL"
    _move(client, "advance", by_ms=_HOUR)
    assert len(_runs(client, job)) == 1


def test_a_commit_starts_a_run_that_knows_the_version(
    client: WorkspaceClient, project: Path
) -> None:
    log = project / ".laketop" / "catalog" / "main" / "s" / "t" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("{}")
    update = TableUpdateTriggerConfiguration(table_names=["main.s.t"])
    version = "{{job.trigger.table_update.main.s.t.version}}"
    tables = JobParameterDefinition("tables", "{{job.trigger.table_update.updated_tables}}")
    task = _task(f"{{{{job.parameters.tables}}}} {version}", '["main.s.t"] 1')
    trigger = TriggerSettings(table_update=update)
    job = _job(client, "update", task, trigger=trigger, parameters=[tables])
    _move(client, "advance", by_ms=_HOUR)
    assert _runs(client, job) == []
    (log / f"{1:020}.json").write_text("{}")
    _move(client, "advance", by_ms=_HOUR)
    (found,) = _runs(client, job)
    run = client.jobs.get_run(found.run_id or 0)
    assert run.trigger is not None
    assert run.trigger.value == "TABLE"
    state = client.jobs.get(job, include_trigger_state=True).trigger_state
    assert state is not None
    assert state.table is not None
    (told,) = state.table.last_seen_table_states or []
    assert (told.table_name, told.has_seen_updates) == ("main.s.t", False)
    assert client.jobs.get(job).trigger_state is None
    condition = (run.tasks or [])[0].condition_task
    assert condition is not None
    assert condition.outcome == "true", condition


def test_a_retry_waits_for_the_clock_and_not_for_real_time(
    client: WorkspaceClient, project: Path
) -> None:
    task = _fails(project)
    task.max_retries, task.min_retry_interval_millis = 2, 10 * 60_000
    job = _job(client, "retries", task, schedule=_cron())
    told = _move(client, "advance", by_ms=_HOUR + 30 * 60_000)
    assert told["last_move"]["results"] == {"FAILED": 1}
    (run,) = client.jobs.list_runs(job_id=job, expand_tasks=True)
    starts = [(task.start_time or 0) - _NOON - _HOUR for task in run.tasks or []]
    assert [start // 600_000 for start in starts] == [0, 1, 2]


def test_a_child_run_belongs_to_the_time_of_its_parent(client: WorkspaceClient) -> None:
    child = _job(client, "child")
    parent = Task(task_key="t", run_job_task=RunJobTask(job_id=child))
    _job(client, "parent", parent, schedule=_cron())
    told = _move(client, "advance", by_ms=2 * _HOUR)
    assert told["last_move"]["results"] == {"SUCCESS": 2}
    assert _hours(client, child) == [1, 2]


def test_a_trigger_at_the_limit_is_skipped(client: WorkspaceClient) -> None:
    job = _job(
        client,
        "full",
        schedule=_cron(),
        max_concurrent_runs=0,
        queue=QueueSettings(enabled=False),
    )
    told = _move(client, "advance", by_ms=2 * _HOUR)
    assert told["last_move"]["results"] == {"MAXIMUM_CONCURRENT_RUNS_REACHED": 2}
    assert len(_runs(client, job)) == 2


def test_a_continuous_job_starts_again_when_its_run_has_ended(client: WorkspaceClient) -> None:
    job = _job(client, "always", continuous=Continuous())
    _move(client, "run", firings=3)
    words = [run.trigger.value for run in _runs(client, job) if run.trigger]
    assert words == ["CONTINUOUS"] * 3
    client.jobs.update(job, fields_to_remove=["continuous"])
    assert _clock(client)["coming"] == []


def test_the_clock_goes_back_and_triggers_count_anew(client: WorkspaceClient) -> None:
    job = _job(client, "back", schedule=_cron())
    _move(client, "advance", by_ms=5 * _HOUR)
    told = _move(client, "set", now_ms=None)
    assert told["offset_ms"] == 0
    assert abs(told["now_ms"] / 1000 - time.time()) < 3600
    assert 0 < told["coming"][0]["due_ms"] - told["now_ms"] <= _HOUR
    assert len(_runs(client, job)) == 5


def test_time_and_triggers_outlive_the_process(project: Path) -> None:
    with serving(project, project / "cache") as served:
        _move(served.client, "set", now_ms=_NOON)
        job = _job(served.client, "kept", schedule=_cron())
        _move(served.client, "advance", by_ms=2 * _HOUR)
    with serving(project, project / "cache") as served:
        assert _clock(served.client)["now_ms"] >= _NOON + 2 * _HOUR
        _move(served.client, "advance", by_ms=2 * _HOUR)
        assert _hours(served.client, job) == [1, 2, 3, 4]


def test_what_was_missed_while_it_was_down_makes_one_run_at_once(project: Path) -> None:
    with serving(project, project / "cache") as served:
        job = _job(served.client, "missed", schedule=_cron())
    with serving(project, project / "cache") as served:
        served.workspace.now_ms.move_to(_NOON + 1)  # as if it had been down until then
        served.workspace.begin()
        end = time.monotonic() + _SECONDS
        while not (runs := _runs(served.client, job)):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert [((run.start_time or 0) - _NOON) // _HOUR for run in runs] == [0]
        assert _clock(served.client)["coming"][0]["due_ms"] == _NOON + _HOUR


def test_a_schedule_that_cannot_be_is_no_job(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="'Mars/Olympus' does not exist"):
        _job(client, "bad", schedule=_cron(zone="Mars/Olympus"))
    assert not list(client.jobs.list(name="bad"))


@pytest.mark.parametrize(
    ("move", "body"),
    [("advance", {"by_ms": -1}), ("run", {"firings": 0}), ("set", {"now_ms": -5})],
)
def test_moves_that_cannot_be_are_refused(
    client: WorkspaceClient, move: str, body: dict[str, int]
) -> None:
    with pytest.raises(DatabricksError):
        client.api_client.do("POST", f"/api/laketop/1/clock/{move}", body=body)
    assert not _clock(client)["is_moving"]

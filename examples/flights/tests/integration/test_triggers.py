"""The jobs of refreshing.yml start by themselves: by files, by a changed table, by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from databricks.sdk.service.jobs import (
    JobSettings,
    ModelTriggerConfigurationCondition,
    PauseStatus,
    RunResultState,
)

from flights import features
from flights.parameters import Parameters

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

SUCCESS = RunResultState.SUCCESS
HOUR = pd.Timestamp("2013-02-01 05:00", tz="UTC")
MINUTES, HOURS = 60_000, 3_600_000
TEN_PAST = int(pd.Timestamp("2040-01-01 12:10", tz="UTC").timestamp() * 1000)


def a_flight(number: int, delay: float) -> dict[str, Any]:
    return {
        "time_hour": HOUR,
        "minute": 5,
        "carrier": "UA",
        "flight": number,
        "origin": "LGA",
        "dep_delay": delay,
    }


@pytest.fixture
def run(spark: SparkSession, schema: str) -> Parameters:
    catalog, _, name = schema.partition(".")
    found = Parameters(catalog=catalog, schema=name)
    weather = dict.fromkeys(features.WEATHER, 1.0) | {"origin": "LGA", "time_hour": HOUR}
    for table, row in (("weather", weather), ("flights", a_flight(1, 10.0))):
        rows = spark.createDataFrame(pd.DataFrame([row]))
        rows.writeTo(found.table(table)).using("delta").create()
    spark.sql(f"CREATE VOLUME {found.table('corrections')}")
    return found


@pytest.fixture
def clock(ws: WorkspaceClient) -> Iterator[None]:
    """Let it be ten past an hour, long before the next one."""
    ws.api_client.do("POST", "/api/laketop/1/clock/set", body={"now_ms": TEN_PAST})
    moved(ws)
    yield
    ws.api_client.do("POST", "/api/laketop/1/clock/set", body={"now_ms": None})


@pytest.fixture
def jobs(
    ws: WorkspaceClient,
    run: Parameters,
    clock: None,
) -> Iterator[dict[str, int]]:
    """Return the three jobs by name, of the tables of this test and no longer paused."""
    found: dict[str, int] = {}
    before: dict[int, JobSettings] = {}
    for job in ws.jobs.list():
        whole = ws.jobs.get(job.job_id or 0)
        assert whole.job_id is not None
        assert whole.settings is not None
        name = (whole.settings.name or "").rpartition("] flights-")[2]
        if name in {"refresh", "refresh-hourly", "corrections"}:
            before[whole.job_id] = whole.settings
            found[name] = whole.job_id
    assert len(found) == 3
    for job_id, settings in before.items():
        ws.jobs.update(job_id, new_settings=awake(settings, run))
    yield found
    for job_id, settings in before.items():
        ws.jobs.reset(job_id, new_settings=settings)


def awake(settings: JobSettings, run: Parameters) -> JobSettings:
    own = JobSettings.from_dict(settings.as_dict())
    for parameter in own.parameters or ():
        parameter.default = asdict(run).get(parameter.name, parameter.default)
    for each in (own.schedule, own.trigger):
        if each is not None:
            assert each.pause_status is PauseStatus.PAUSED
            each.pause_status = PauseStatus.UNPAUSED
    if own.trigger is not None and own.trigger.table_update is not None:
        own.trigger.table_update.table_names = [run.table("flights"), run.table("weather")]
    if own.trigger is not None and own.trigger.file_arrival is not None:
        own.trigger.file_arrival.url = f"/Volumes/{run.catalog}/{run.schema}/corrections/"
    return own


def advance(ws: WorkspaceClient, milliseconds: int) -> dict[str, int]:
    """Move the clock ahead, and return the results of what has been started on the way."""
    ws.api_client.do("POST", "/api/laketop/1/clock/advance", body={"by_ms": milliseconds})
    return moved(ws)


def moved(ws: WorkspaceClient) -> dict[str, int]:
    while (told := ws.api_client.do("GET", "/api/laketop/1/clock"))["is_moving"]:
        time.sleep(0.1)
    return dict(told["last_move"]["results"])


def runs(ws: WorkspaceClient, job: int) -> list[tuple[str, RunResultState | None]]:
    """Return what started each run, and how it ended."""
    return [
        (done.trigger.value, done.state.result_state)
        for done in ws.jobs.list_runs(job_id=job, completed_only=True)
        if done.trigger is not None and done.state is not None
    ]


def test_files_of_corrections_lead_to_new_features(
    ws: WorkspaceClient, spark: SparkSession, run: Parameters, jobs: dict[str, int]
) -> None:
    assert advance(ws, 10 * MINUTES) == {}
    content = BytesIO()
    late = pd.DataFrame([a_flight(1, 30.0), a_flight(2, 60.0)])
    late.to_parquet(content, coerce_timestamps="us", index=False)
    content.seek(0)
    ws.files.upload(f"/Volumes/{run.catalog}/{run.schema}/corrections/late.parquet", content)
    assert advance(ws, 2 * MINUTES) == {"SUCCESS": 1}
    assert runs(ws, jobs["corrections"]) == [("FILE_ARRIVAL", SUCCESS)]
    kept = spark.table(run.table("flights")).select("flight", "dep_delay").collect()
    assert sorted(map(tuple, kept)) == [(1, 30.0), (2, 60.0)]
    assert advance(ws, 5 * MINUTES) == {"SUCCESS": 1}
    assert runs(ws, jobs["refresh"]) == [("TABLE", SUCCESS)]
    newest = spark.table(run.table("delay_features")).orderBy("known_at", ascending=False)
    # The second alone is within four hours of it.
    assert newest.select("recent_delay").head(1) == [(60.0,)]
    advance(ws, HOURS)
    assert runs(ws, jobs["refresh-hourly"]) == [("PERIODIC", SUCCESS)]
    assert len(runs(ws, jobs["refresh"])) == 1


def test_the_live_job_writes_features_until_it_is_cancelled(
    ws: WorkspaceClient, job_named: Callable[[str], int], spark: SparkSession, run: Parameters
) -> None:
    job = job_named("refresh-live")
    own = {"catalog": run.catalog, "schema": run.schema}
    started = ws.jobs.run_now(job, job_parameters=own).run_id
    try:
        wait_for_delays(ws, started, spark, run)
    finally:
        ws.jobs.cancel_run_and_wait(started)
    state = ws.jobs.get_run(started).state
    assert state is not None
    assert state.result_state is RunResultState.CANCELED


def wait_for_delays(ws: WorkspaceClient, run_id: int, spark: SparkSession, run: Parameters) -> None:
    """Wait until the run, which goes on, has written the delays."""
    table = run.table("delay_features")
    deadline = time.monotonic() + 300
    while not (spark.catalog.tableExists(table) and spark.table(table).head(1)):
        assert time.monotonic() < deadline
        state = ws.jobs.get_run(run_id).state
        assert state is not None
        assert state.result_state is None, state
        time.sleep(0.2)


def test_the_alias_challenger_starts_the_gates(
    ws: WorkspaceClient, job_named: Callable[[str], int]
) -> None:
    """What they do is for `test_mlops.py`; a run of its own would cost as much as all above."""
    one = ws.jobs.get(job_named("deployment")).settings  # the list holds no tasks
    assert one is not None
    assert one.trigger is not None
    assert one.trigger.pause_status is PauseStatus.PAUSED
    assert one.trigger.model is not None
    assert one.trigger.model.condition is ModelTriggerConfigurationCondition.MODEL_ALIAS_SET
    assert one.trigger.model.aliases == ["challenger"]
    assert (one.trigger.model.securable_name or "").endswith(".delay")
    found = {task.task_key for task in one.tasks or ()}
    assert found == {"asks_reproduction", "reproduce", "evaluate", "promote"}
    given = {parameter.name for parameter in one.parameters or ()}
    assert {"model_name", "model_version"} < given <= set(asdict(Parameters()))

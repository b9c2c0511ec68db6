"""One run of the deployed job on a slice of the data, in a schema of its own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.jobs import RunLifeCycleState

from flights.parameters import Parameters

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run
    from pyspark.sql import SparkSession

FINAL = {
    RunLifeCycleState.TERMINATED,
    RunLifeCycleState.SKIPPED,
    RunLifeCycleState.INTERNAL_ERROR,
}
SLICE = {"origin": "LGA", "first_month": "2013-01", "last_month": "2013-06"}


@dataclass(frozen=True)
class Ran:
    """The run as the workspace tells of it, and the parameters that it ran with."""

    run: Run
    parameters: Parameters


@pytest.fixture(scope="session")
def ran(ws: WorkspaceClient, spark: SparkSession) -> Iterator[Ran]:
    """Return the finished run of `mlops`; its schema, model and endpoint go afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    job = next(job for job in ws.jobs.list() if _is_mlops(job.settings.name or ""))
    parameters = Parameters(
        catalog="main",
        schema=name,
        experiment=f"/Shared/{name}",
        endpoint=name,
        replay="true",
        **SLICE,
    )
    asked = ("catalog", "schema", "experiment", "endpoint", "replay", *SLICE)
    run_id = ws.jobs.run_now(
        job.job_id, job_parameters={key: str(getattr(parameters, key)) for key in asked}
    ).run_id
    try:
        yield Ran(_finished(ws, run_id), parameters)
    finally:
        spark.sql(f"DROP SCHEMA IF EXISTS {parameters.full_schema} CASCADE")
        if any(endpoint.name == name for endpoint in ws.serving_endpoints.list()):
            ws.serving_endpoints.delete(name)


def _finished(ws: WorkspaceClient, run_id: int) -> Run:
    """Wait for the run, looking every second; the SDK's waiter sleeps up to ten."""
    while True:
        run = ws.jobs.get_run(run_id)
        if run.state.life_cycle_state in FINAL:
            return run
        time.sleep(1)


def _is_mlops(name: str) -> bool:
    """Whether this is the job of the target dev, whose names carry whose they are."""
    return name.startswith("[dev ") and name.endswith("] flights-mlops")

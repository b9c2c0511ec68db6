"""One run of the deployed job on a slice of the data, in a schema of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from flights.parameters import Parameters

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run
    from pyspark.sql import SparkSession

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
    waiter = ws.jobs.run_now(
        job.job_id, job_parameters={key: str(getattr(parameters, key)) for key in asked}
    )
    try:
        yield Ran(waiter.result(), parameters)
    finally:
        spark.sql(f"DROP SCHEMA IF EXISTS {parameters.full_schema} CASCADE")
        if any(endpoint.name == name for endpoint in ws.serving_endpoints.list()):
            ws.serving_endpoints.delete(name)


def _is_mlops(name: str) -> bool:
    """Whether this is the job of the target dev, whose names carry whose they are."""
    return name.startswith("[dev ") and name.endswith("] flights-mlops")

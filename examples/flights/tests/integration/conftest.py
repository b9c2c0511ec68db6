"""One run of the deployed job on a slice of the data, in a schema of its own."""

from __future__ import annotations

import functools
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.service.jobs import RunLifeCycleState
from hypothesis import settings

from flights.parameters import Parameters

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run
    from pyspark.sql import SparkSession

# Each case runs on Spark. Its full size: nox -s torture
profiles = {"default": 4, "torture": 100}
for profile, cases in profiles.items():
    settings.register_profile(profile, deadline=None, max_examples=cases)
settings.load_profile("default")

FINAL = {
    RunLifeCycleState.TERMINATED,
    RunLifeCycleState.SKIPPED,
    RunLifeCycleState.INTERNAL_ERROR,
}
APPROVER = "bea@example.com"
SLICE = {"origin": "LGA", "first_month": "2013-01", "last_month": "2013-06"}


@dataclass(frozen=True)
class Ran:
    """The run as the workspace tells of it, its parameters, and who approved its models."""

    run: Run
    parameters: Parameters
    approver: str


@pytest.fixture
def run_job(ws: WorkspaceClient) -> Callable[[str, Mapping[str, str]], Run]:
    """Return what runs a job of the bundle with some parameters, and returns the ended run."""

    def run(name: str, parameters: Mapping[str, str]) -> Run:
        started = ws.jobs.run_now(job_of(ws, name), job_parameters=dict(parameters)).run_id
        while not _is_final(found := ws.jobs.get_run(started)):
            time.sleep(0.5)
        return found

    return run


@pytest.fixture
def job_named(ws: WorkspaceClient) -> Callable[[str], int]:
    """Return what finds the id of a job of the bundle."""
    return functools.partial(job_of, ws)


@pytest.fixture(scope="session")
def ran(ws: WorkspaceClient, spark: SparkSession) -> Iterator[Ran]:
    """Return the finished run of `mlops`; its schema, model and endpoint go afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    parameters = Parameters(
        catalog="main",
        schema=name,
        experiment=f"/Shared/{name}",
        endpoint=name,
        replay="true",
        approval_required="true",
        reproduction_required="true",
        git_commit=_code(),
        **SLICE,
    )
    asked = ("catalog", "schema", "experiment", "endpoint", "git_commit", "replay")
    required = ("approval_required", "reproduction_required")
    given = {key: str(getattr(parameters, key)) for key in (*asked, *required, *SLICE)}
    run_id = ws.jobs.run_now(job_of(ws, "mlops"), job_parameters=given).run_id
    try:
        yield Ran(_finished(ws, run_id, parameters.model), parameters, APPROVER)
    finally:
        spark.sql(f"DROP SCHEMA IF EXISTS {parameters.full_schema} CASCADE")
        if any(endpoint.name == name for endpoint in ws.serving_endpoints.list()):
            ws.serving_endpoints.delete(name)


def _code() -> str:
    """Return the commit, or "uncommitted" where files differ from it or there is no Git."""
    git = shutil.which("git")
    if git is None:
        return "uncommitted"
    changed, commit = (
        subprocess.run(
            [git, *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
        for words in (("status", "--porcelain"), ("rev-parse", "HEAD"))
    )
    if changed.stdout or changed.returncode or commit.returncode:
        return "uncommitted"
    return commit.stdout.strip()


def _finished(ws: WorkspaceClient, run_id: int, model: str) -> Run:
    """Wait for the run, looking every second; the SDK's waiter sleeps up to ten.

    A version is approved once the run waits for it: the first when it is to be promoted, the
    second, of the retraining, when it is there.
    """
    approved = 0
    while True:
        run = ws.jobs.get_run(run_id)
        if _is_final(run):
            return run
        states = {task.task_key: task.state for task in run.tasks or ()}
        waiting = ("promote", "retrain")[approved] if approved < 2 else ""
        state = states.get(waiting)
        is_running = state is not None and state.life_cycle_state == RunLifeCycleState.RUNNING
        if is_running and _approve(ws, model, approved + 1):
            approved += 1
        time.sleep(1)


def _approve(ws: WorkspaceClient, model: str, version: int) -> bool:
    """Approve a version as somebody else, a user; return whether it is there."""
    if not any(ws.users_v2.list(filter=f'userName eq "{APPROVER}"')):
        ws.users_v2.create(user_name=APPROVER)
    path = f"/api/laketop/1/models/{model}/versions/{version}/approve"
    try:
        ws.api_client.do("POST", path, body={"approver": APPROVER})
    except NotFound:
        return False
    return True


def _is_final(run: Run) -> bool:
    return run.state is not None and run.state.life_cycle_state in FINAL


def job_of(ws: WorkspaceClient, name: str) -> int:
    """Return the id of a job of the target dev, whose names carry whose they are."""
    names = {job.job_id or 0: (job.settings and job.settings.name) or "" for job in ws.jobs.list()}
    end = f"] flights-{name}"
    return next(one for one, s in names.items() if s.startswith("[dev ") and s.endswith(end))

"""The prod target of the reference project, as it is: every gate is asked, and passes.

First by the job `mlops` and the retraining that it starts, then by the deployment job, which the
registry starts for a version that was trained by hand.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import RunResultState
from tests.integration.cli.conftest import run_laketop

MODEL = "prod.flights.delay"
REVIEWER = "reviewer@laketop.local"
LONGEST_SECONDS = 2400  # so that what hangs is told before the lane is cut off, after an hour
FINAL = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
GATES = {
    *("signature", "compatible_schema", "compliance_tags", "documentation", "licences"),
    *("no_leak", "minimum_auc", "minimum_slice_auc", "calibrated", "no_worse_than_champion"),
    *("robustness", "repeatable", "inference_time", "fairness", "vulnerabilities"),
    *("reproducible", "clean_environment", "approval"),
}


def laketop(project: Path, *arguments: str) -> Any:
    said = run_laketop(project, *arguments, "--json")
    assert said.code == 0, said.out + said.err
    return json.loads(said.out)


def rows(project: Path, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = laketop(project, "sql", query)
    return found


def reviewed(project: Path, client: WorkspaceClient, run_id: int) -> Mapping[str, Any]:
    """Return the run once it has ended; what its promotions wait for is approved meanwhile."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        run = client.jobs.get_run(run_id).as_dict()
        if run["state"]["life_cycle_state"] in FINAL:
            return run
        assert time.monotonic() < deadline, f"run {run_id} goes on: {_states(client)}"
        for version in _waiting(project, client):
            laketop(project, "approve", MODEL, version, "--by", REVIEWER)
        time.sleep(1)


def _states(client: WorkspaceClient) -> list[tuple[str, str]]:
    """Return how every task of the active runs stands, by its key."""
    active = client.jobs.list_runs(active_only=True, expand_tasks=True)
    tasks = [task.as_dict() for run in active for task in run.tasks or ()]
    return [(task["task_key"], task["state"]["life_cycle_state"]) for task in tasks]


def _waiting(project: Path, client: WorkspaceClient) -> set[str]:
    """Return the versions that a task `promote` waits for: asked by every gate, not approved."""
    if ("promote", "RUNNING") not in _states(client):
        return set()
    asked = (
        "SELECT DISTINCT version FROM prod.flights.model_evaluations WHERE version NOT IN "
        "(SELECT version FROM prod.flights.promotions WHERE outcome = 'approved')"
    )
    return {row["version"] for row in rows(project, asked)}


@pytest.fixture(scope="module")
def ran(project: Path, client: WorkspaceClient) -> Mapping[str, Any]:
    """The year replayed in prod, all airports; whoever may approve does."""
    asked = ("run", "mlops", "-t", "prod", "--params", "replay=true", "--no-wait")
    started = laketop(project, *asked)
    return reviewed(project, client, started["run_id"])


def verdicts(project: Path, version: str) -> dict[str, dict[str, Any]]:
    query = (
        "SELECT gate, passed, pending, measured, limit, reason, version "
        "FROM prod.flights.model_evaluations WHERE metric IS NULL"
    )
    told = [row for row in rows(project, query) if row["version"] == version]
    found = {row["gate"]: row for row in told}
    assert len(found) == len(told)
    return found


def decisions(project: Path, version: str) -> list[tuple[str, str, str]]:
    query = (
        "SELECT outcome, approved_by, reason, version FROM prod.flights.promotions "
        "ORDER BY decided_at"
    )
    told = [row for row in rows(project, query) if row["version"] == version]
    return [(row["outcome"], row["approved_by"], row["reason"]) for row in told]


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_first_model_and_the_retrained_pass_every_gate_and_are_promoted(
    project: Path, ran: Mapping[str, Any], version: str
) -> None:
    assert ran["state"]["result_state"] == "SUCCESS", ran["state"]
    found = verdicts(project, version)
    assert found.keys() == GATES
    # Somebody approves once everything else is known, so that this one alone was waited for.
    waited = found.pop("approval")
    assert (waited["passed"], waited["pending"]) == (False, True)
    assert [row for row in found.values() if not row["passed"]] == []
    assert found["reproducible"]["reason"] == "trained again, every byte was the same"
    assert decisions(project, version) == [
        ("challenger", "", ""),
        ("approved", REVIEWER, decisions(project, version)[1][2]),
        ("promoted", REVIEWER, f"all {len(GATES)} gates passed"),
    ]


def test_features_were_looked_up_an_hour_earlier_as_well(
    project: Path, ran: Mapping[str, Any]
) -> None:
    told = rows(
        project,
        "SELECT DISTINCT version, leaking, run FROM prod.flights.leak_evidence "
        "WHERE check = 'vanishes_when_lagged'",
    )
    assert {
        (row["version"], row["leaking"]) for row in told if row["run"] == str(ran["run_id"])
    } == {
        ("1", False),
        ("2", False),
    }


@pytest.fixture(scope="module")
def compared(project: Path, ran: Mapping[str, Any]) -> Mapping[str, Any]:
    """The A/B experiment with the champion and the one before, as the year has left them."""
    del ran
    run: dict[str, Any] = laketop(project, "run", "experiment", "-t", "prod")
    return run


def test_champion_and_previous_are_put_beside_each_other(
    project: Path, compared: Mapping[str, Any]
) -> None:
    assert compared["state"]["result_state"] == "SUCCESS"
    (settled,) = rows(project, "SELECT name, state FROM prod.flights.experiments")
    looks = rows(
        project, "SELECT experiment, decision FROM prod.flights.experiment_looks ORDER BY looked_at"
    )
    assert {look["experiment"] for look in looks} == {settled["name"]}
    assert settled["name"].startswith(f"{MODEL} 2 against 1 in ")
    last = looks[-1]["decision"]
    assert last in {"continue", "treatment", "control", "undecided"}
    assert settled["state"] == ("running" if last == "continue" else last)


@pytest.fixture(scope="module")
def deployed(
    project: Path, client: WorkspaceClient, compared: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The run that the registry started for the version that was trained by hand."""
    del compared
    laketop(project, "run", "training", "-t", "prod", "--params", "train_through=2013-11")
    job = next(job.job_id for job in client.jobs.list(name="flights-deployment"))
    (started,) = client.jobs.list_runs(job_id=job)
    assert started.run_id is not None
    return reviewed(project, client, started.run_id)


def test_a_version_trained_by_hand_starts_the_deployment_job_which_promotes_it(
    project: Path, deployed: Mapping[str, Any]
) -> None:
    assert deployed["state"]["result_state"] == RunResultState.SUCCESS.value, deployed["state"]
    told = {one["name"]: one.get("value") for one in deployed["job_parameters"]}
    assert (told["model_name"], told["model_version"]) == (MODEL, "3")
    found = verdicts(project, "3")
    assert found.keys() == GATES
    assert [gate for gate, row in found.items() if not row["passed"]] == ["approval"]
    assert decisions(project, "3")[-1] == (
        *("promoted", REVIEWER),
        f"all {len(GATES)} gates passed",
    )

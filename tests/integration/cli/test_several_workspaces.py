"""Workspaces side by side, from the command line: deployed into, run in, asked in SQL."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from tests.integration.cli.conftest import Laketop, run_laketop

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def clients(thread: Path) -> Iterator[dict[str, WorkspaceClient]]:
    """The clients of two further workspaces, by name."""
    found = {}
    for name in ("staging", "prod"):
        said = run_laketop(thread, "workspace", "create", name, "--json")
        assert said.code == 0, said.err
        told = json.loads(run_laketop(thread, "env", "--workspace", name, "--json").out)
        found[name] = WorkspaceClient(host=told["DATABRICKS_HOST"], token=told["DATABRICKS_TOKEN"])
    yield found
    for name in found:
        said = run_laketop(thread, "workspace", "delete", name, "--yes")
        assert said.code == 0, said.err


def test_deployments_into_two_workspaces_share_tables_and_models_and_no_jobs(
    thread: Path, laketop: Laketop, clients: dict[str, WorkspaceClient]
) -> None:
    staging, prod = clients["staging"], clients["prod"]
    for name in clients:
        said = laketop("deploy", "-t", name, "--workspace", name)
        assert said.code == 0, said.err
        assert f"the local workspace '{name}'" in said.err
        plan = laketop("plan", "-t", name, "--workspace", name)
        assert "0 to add" in plan.out
    ids = {name: {job.job_id for job in one.jobs.list()} for name, one in clients.items()}
    assert ids["staging"]
    assert ids["prod"]
    assert not ids["staging"] & ids["prod"]
    assert "staging" not in laketop("summary", "-t", "dev", "--json").out
    home = "/Users/me@laketop.local/.bundle/thread"
    assert [one.path for one in staging.workspace.list(home)] == [f"{home}/staging"]
    assert [one.path for one in prod.workspace.list(home)] == [f"{home}/prod"]

    schema = f"s{secrets.token_hex(4)}"
    made = laketop("sql", f"CREATE SCHEMA main.{schema}", "--workspace", "staging")
    assert made.code == 0, made.err
    table = f"main.{schema}.t"
    laketop("sql", f"CREATE TABLE {table} AS SELECT 41 + 1 AS n", LAKETOP_WORKSPACE="staging")
    assert "delta" in laketop("sql", f"DESCRIBE DETAIL {table}", "--workspace", "prod").out
    assert prod.tables.get(table).storage_location == staging.tables.get(table).storage_location
    staging.registered_models.create(catalog_name="main", schema_name=schema, name="m")
    assert prod.registered_models.get(f"main.{schema}.m").name == "m"
    prod.registered_models.delete(f"main.{schema}.m")
    laketop("sql", f"DROP SCHEMA main.{schema} CASCADE", "--workspace", "prod")


def test_a_run_is_of_the_workspace_in_use_and_its_tasks_too(
    thread: Path, laketop: Laketop, clients: dict[str, WorkspaceClient]
) -> None:
    assert laketop("workspace", "use", "staging").code == 0
    try:
        listed = json.loads(laketop("workspace", "list", "--json").out)
        assert [one["workspace_name"] for one in listed if one["in_use"]] == ["staging"]
        assert len({one["workspace_id"] for one in listed}) == len(listed) == 3
        assert json.loads(laketop("status", "--json").out)["workspace"] == "staging"
        refused = laketop("workspace", "delete", "staging", "--yes")
        assert refused.code == 1
        assert "in use" in refused.err
        said = laketop("run", "chain", "-t", "staging", "--params", "greeting=HELLO", "--json")
    finally:
        assert laketop("workspace", "use", "dev").code == 0
    assert said.code == 0, said.err
    run_id = json.loads(said.out)["run_id"]
    assert run_id in [one.run_id for one in clients["staging"].jobs.list_runs()]
    assert run_id not in [one.run_id for one in clients["prod"].jobs.list_runs()]
    folder = thread / ".laketop" / "workspaces" / "staging" / "runs" / str(run_id)
    assert folder.is_dir()
    assert not (thread / ".laketop" / "runs" / str(run_id)).exists()


def test_a_workspace_that_is_not_there_is_one_error(laketop: Laketop) -> None:
    for said in (
        laketop("env", "--workspace", "qa"),
        laketop("workspace", "use", "qa"),
        laketop("status", LAKETOP_WORKSPACE="qa"),
    ):
        assert said.code == 1
        assert "no workspace named 'qa'" in said.err
        assert "hint: the project has dev" in said.err


def test_remote_and_a_workspace_of_the_laptop_are_not_given_together(laketop: Laketop) -> None:
    said = laketop("plan", "--remote", "--workspace", "dev")
    assert said.code == 1
    assert "give one of the two" in said.err

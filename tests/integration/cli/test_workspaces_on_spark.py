"""Workspaces side by side over one engine: tables are shared, runs are each one's own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from tests.integration.cli.conftest import Laketop, run_laketop


@pytest.fixture(scope="module")
def staging(thread: Path) -> Iterator[WorkspaceClient]:
    """The client of a second workspace of the project."""
    said = run_laketop(thread, "workspace", "create", "staging")
    assert said.code == 0, said.err
    told = json.loads(run_laketop(thread, "env", "--workspace", "staging", "--json").out)
    yield WorkspaceClient(host=told["DATABRICKS_HOST"], token=told["DATABRICKS_TOKEN"])
    assert run_laketop(thread, "workspace", "delete", "staging", "--yes").code == 0


def test_a_table_is_read_from_every_workspace(laketop: Laketop, staging: WorkspaceClient) -> None:
    schema = f"s{secrets.token_hex(4)}"
    for statement in (f"CREATE SCHEMA main.{schema}", f"CREATE TABLE main.{schema}.t (n INT)"):
        said = laketop("sql", statement, "--workspace", "staging")
        assert said.code == 0, said.err
    assert "delta" in laketop("sql", f"DESCRIBE DETAIL main.{schema}.t").out
    assert [one.name for one in staging.tables.list("main", schema)] == ["t"]
    laketop("sql", f"DROP SCHEMA main.{schema} CASCADE")


def test_a_run_and_its_tasks_are_of_their_workspace(
    thread: Path, laketop: Laketop, staging: WorkspaceClient
) -> None:
    said = laketop("run", "chain", "--workspace", "staging", "--params", "greeting=HELLO", "--json")
    assert said.code == 0, said.err
    run = json.loads(said.out)
    assert run["run_id"] in [one.run_id for one in staging.jobs.list_runs()]
    told = json.loads(laketop("env", "--json").out)
    dev = WorkspaceClient(host=told["DATABRICKS_HOST"], token=told["DATABRICKS_TOKEN"])
    with pytest.raises(NotFound):
        dev.jobs.get_run(run["run_id"])
    folder = thread / ".laketop" / "workspaces" / "staging" / "runs" / str(run["run_id"])
    assert folder.is_dir()

"""The job ends by the command line as by the SDK: its first tasks; whole with `nox -s torture`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import NotFound
from hypothesis import settings

if TYPE_CHECKING:
    from conftest import Ran
    from databricks.sdk import WorkspaceClient

PROJECT = Path(__file__).parents[2]
FIRST = ("ingest", "explore")
"""A program of the wheel and a notebook, in seconds; all tasks take minutes."""


@pytest.fixture
def given(ran: Ran, ws: WorkspaceClient, schema: str) -> Iterator[dict[str, str]]:
    """Return what the run by the SDK was given, with a schema and an endpoint of its own.

    Nobody has to approve: who waits for the command line to end cannot.
    """
    name = schema.partition(".")[2]
    own = {"schema": name, "experiment": f"/Shared/{name}", "endpoint": name}
    yield {**ran.given, **own, "approval_required": "false"}
    with contextlib.suppress(NotFound):  # the first tasks serve nothing
        ws.serving_endpoints.delete(name)


def run_by_cli(given: Mapping[str, str], *options: str) -> dict[str, Any]:
    parameters = [word for name, value in given.items() for word in ("--params", f"{name}={value}")]
    command = (sys.executable, "-m", "laketop.cli", "run", "mlops", "--json")
    done = subprocess.run(
        [*command, "--project", str(PROJECT), *parameters, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    run: dict[str, Any] = json.loads(done.stdout)
    return run


def states_of(run: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return how the run and its tasks have ended; the run's own state has no name."""
    parts = {task["task_key"]: task["state"] for task in run["tasks"]} | {"": run["state"]}
    return {key: (part["life_cycle_state"], part["result_state"]) for key, part in parts.items()}


def test_tasks_end_by_the_command_line_as_by_the_sdk(ran: Ran, given: dict[str, str]) -> None:
    by_sdk = states_of(ran.run.as_dict())
    if settings.get_current_profile_name() == "torture":
        assert states_of(run_by_cli(given)) == by_sdk
    else:
        by_cli = states_of(run_by_cli(given, "--only", ",".join(FIRST)))
        assert by_cli == {key: by_sdk[key] for key in (*FIRST, "")}

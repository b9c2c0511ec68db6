"""The whole job of the reference project ends by the command line as by the SDK.

A version of it is trained again by the command line, from its recipe.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from tests.integration.cli.conftest import run_laketop, states_of

SLICE = {"origin": "LGA", "last_month": "2013-06"}
GOOD = ("TERMINATED", "SUCCESS")


@pytest.fixture(scope="module")
def by_cli(project: Path) -> dict[str, Any]:
    given = [part for name, value in SLICE.items() for part in ("--params", f"{name}={value}")]
    said = run_laketop(project, "run", "mlops", *given, "--json")
    assert said.code == 0, said.err
    run: dict[str, Any] = json.loads(said.out)
    return run


def test_every_task_ends_by_the_sdk_as_by_the_command_line(
    by_cli: dict[str, Any], client: WorkspaceClient
) -> None:
    states = states_of(by_cli)
    others = {key: state for key, state in states.items() if state != GOOD}
    assert others == {"reproduce": ("SKIPPED", "EXCLUDED")}  # nobody asks for it
    by_sdk = client.jobs.run_now(by_cli["job_id"], job_parameters=SLICE).result()
    assert states_of(by_sdk.as_dict()) == states


@pytest.mark.usefixtures("by_cli")
def test_a_version_is_trained_again_bit_for_bit(project: Path) -> None:
    said = run_laketop(project, "ml", "reproduce", "dev.flights.delay", "1", "--json")
    assert said.code == 0, said.out + said.err
    assert json.loads(said.out) == {
        "identical": True,
        "differs": [],
        "notes": ["its code had no commit: today's code was run"],
    }

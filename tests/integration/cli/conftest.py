"""The project that the tests share, and the command line run in it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest


@dataclasses.dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Laketop = Callable[..., Said]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let accidents come last, in their random order: each leaves a cold engine to the next.

    First come the tests of an engine that is ended in order: it leaves an archive of its classes,
    which halves the start of all that follow.
    """
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if item.path.name == "test_accidents.py":
        return 1
    return -1 if "alone" in getattr(item, "fixturenames", ()) else 0


@pytest.fixture(scope="session")
def thread(laketop_project: Path) -> Path:
    return laketop_project


def run_laketop(root: Path, *arguments: str, **environment: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "laketop.cli", *arguments],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,  # for a busy machine: it is there to end what hangs
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def states_of(run: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return how a run and its tasks have ended: life cycle and result, the run's own by ""."""
    parts = {task["task_key"]: task["state"] for task in run["tasks"]} | {"": run["state"]}
    return {key: (part["life_cycle_state"], part["result_state"]) for key, part in parts.items()}


@pytest.fixture
def laketop(thread: Path) -> Laketop:
    def call(*arguments: str, **environment: str) -> Said:
        return run_laketop(thread, *arguments, **environment)

    return call

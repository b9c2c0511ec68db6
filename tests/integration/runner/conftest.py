"""Runs one task as the runner does, on a real engine and a real workspace."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from laketop.runner.context import ChildRun, Outcome, TaskContext, TaskType

Run = Callable[..., tuple[Outcome, str]]


def no_job(_job_id: int, _parameters: object) -> ChildRun:
    raise AssertionError("no task here runs a job")


def run_task(
    kind: TaskType, task: dict[str, Any], directory: Path, **more: Any
) -> tuple[Outcome, str]:
    """Run one attempt in its own folder, which exists; return how it ended and what it printed.

    `more` are fields of the context; `environment` must be among them.
    """
    context = TaskContext(
        run_id=1,
        job_id=3,
        task_run_id=int(directory.name),
        task_key="it",
        attempt=0,
        task={"task_key": "it", **task},
        directory=directory,
        **{
            "job_parameters": {},
            "task_values": {},
            "python": Path(sys.executable),
            "resolve": Path,
            "cancelled": threading.Event(),
            "run_job": no_job,
            **more,
        },
    )
    outcome = kind.run(context.task, context)
    return outcome, (directory / "output.log").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, task_environment: Mapping[str, str]) -> Run:
    directory = tmp_path / ".laketop" / "runs" / "1" / "2"
    directory.mkdir(parents=True)

    def run(kind: TaskType, task: dict[str, Any], **more: Any) -> tuple[Outcome, str]:
        return run_task(kind, task, directory, **{"environment": task_environment, **more})

    return run

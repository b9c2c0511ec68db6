"""Runs that an earlier process left active, where what is stored of them is damaged."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from laketop.runner.run import JobRun, RunRequest
from laketop.settings import Settings
from laketop.workspace.run_records import RunRecord
from laketop.workspace.workspace import Workspace

SETTINGS = {
    "name": "n",
    "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}, "max_retries": 1}],
}


def cut_off(workspace: Workspace) -> dict[str, Any]:
    """Return a run whose only task is running, and would be retried."""
    new_id = workspace.jobs._records.new_id
    request = RunRequest(job_id=new_id(), run_id=new_id(), created_ms=1_000)
    run = JobRun(SETTINGS, request, new_id)
    run.advance(1_000)
    run.task_started(run.startable()[0].run_id, 2_000)
    return run.snapshot()


@pytest.mark.parametrize(
    ("missing", "more"),
    [
        ("trigger", {"settings": SETTINGS}),  # without which nobody knows whether it goes on
        ("job_parameters", {"settings": SETTINGS}),  # without which it cannot
        ("", {}),  # its job was deleted
    ],
)
def test_a_run_that_cannot_go_on_is_ended_and_the_workspace_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, missing: str, more: dict[str, Any]
) -> None:
    settings = Settings(root=tmp_path, cache=tmp_path)
    before = Workspace(settings)
    snapshot = cut_off(before)
    run_id, job_id = snapshot["run_id"], snapshot["job_id"]
    snapshot.pop(missing, None)
    with before.store.transaction(write=True):
        before.jobs._records.insert(RunRecord(run_id, job_id, "me", "JOB_RUN", more, snapshot))
    before.shutdown()
    with caplog.at_level(logging.WARNING):
        workspace = Workspace(settings)
        try:
            workspace.begin()
            with workspace.store.transaction(write=False):
                record = workspace.jobs._records.get(run_id)
                assert not workspace.jobs._records.active()
        finally:
            workspace.shutdown()
    assert record is not None
    assert record.life_cycle == "INTERNAL_ERROR"
    assert [task["state"]["result_state"] for task in record.tasks] == ["FAILED"]
    assert f"run {run_id} does not go on" in caplog.text
    assert ("Traceback" in caplog.text) == bool(missing)

"""The rows that wait for the system tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laketop.settings import Settings
from laketop.workspace.service import Fields
from laketop.workspace.system_export import SystemExport
from laketop.workspace.system_tables import QUERY_HISTORY
from laketop.workspace.workspace import Workspace

NAME = "system.access.audit"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(Settings(root=tmp_path, cache=tmp_path))
    yield workspace
    workspace.shutdown()


def test_rows_that_are_too_old_are_ended_once_a_day(workspace: Workspace) -> None:
    workspace.now_ms.machine = lambda: 1_700_000_000_000
    export = SystemExport(workspace, lambda: None)
    assert export.expiry(QUERY_HISTORY) == (
        "DELETE FROM system.query.history WHERE end_time < TIMESTAMP '2022-11-14 22:13:20 UTC'"
    )
    assert export.expiry(QUERY_HISTORY) is None
    assert export.expiry(NAME) is None
    workspace.now_ms.machine = lambda: 1_700_000_000_000 + 24 * 3_600_000
    assert "'2022-11-15 22:13:20 UTC'" in str(export.expiry(QUERY_HISTORY))


def test_rows_wait_for_an_engine(workspace: Workspace) -> None:
    export = SystemExport(workspace, lambda: None)
    export.waiting.add(NAME, {"n": 1})
    assert export.flush() == 0
    assert export.waiting.batch(NAME)[1] == [{"n": 1}]


def _told(export: SystemExport, name: str) -> list[dict[str, Any]]:
    """Return the rows that wait for a table, which wait no more."""
    export.flush()
    last, rows = export.waiting.batch(name)
    if rows:
        export.waiting.forget(name, last)
    return rows


def test_tasks_of_jobs_are_told_as_they_change(workspace: Workspace) -> None:
    export, name = SystemExport(workspace, lambda: None), "system.lakeflow.job_tasks"
    a = {"task_key": "a", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
    b = {**a, "task_key": "b", "depends_on": [{"task_key": "a"}]}
    with workspace.store.transaction(write=True):
        job_id = workspace.jobs.create({"name": "j", "tasks": [a, b]})["job_id"]
    assert [(one["task_key"], one["depends_on_keys"]) for one in _told(export, name)] == [
        ("a", []),
        ("b", ["a"]),
    ]
    assert _told(export, name) == []
    with workspace.store.transaction(write=True):
        workspace.jobs.reset(job_id, {"name": "j", "tasks": [{**b, "depends_on": []}]})
    changed = _told(export, name)
    assert [(one["task_key"], one["depends_on_keys"]) for one in changed] == [("a", []), ("b", [])]
    assert [one["delete_time"] is None for one in changed] == [False, True]
    with workspace.store.transaction(write=True):
        workspace.jobs.delete(job_id)
    [gone] = _told(export, name)
    assert (gone["task_key"], gone["delete_time"] is None) == ("b", False)


def test_pipelines_are_told_as_they_change(workspace: Workspace) -> None:
    export, name = SystemExport(workspace, lambda: None), "system.lakeflow.pipelines"
    with workspace.store.transaction(write=True):
        spec = Fields({"name": "p", "development": True, "configuration": {"a": "b"}})
        id_ = workspace.pipelines.create(spec)["pipeline_id"]
    [row] = _told(export, name)
    assert (row["pipeline_id"], row["name"], row["settings"]["development"]) == (id_, "p", True)
    assert (row["configuration"], row["delete_time"]) == ({"a": "b"}, None)
    assert _told(export, name) == []
    with workspace.store.transaction(write=True):
        workspace.pipelines.delete(id_)
    [row] = _told(export, name)
    assert row["delete_time"] is not None

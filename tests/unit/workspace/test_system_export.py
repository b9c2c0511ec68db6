"""The rows that wait for the system tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from laketop.settings import Settings
from laketop.workspace.system_export import SystemExport
from laketop.workspace.system_tables import QUERY_HISTORY
from laketop.workspace.workspace import Workspace

NAME = "system.access.audit"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(Settings(root=tmp_path, cache=tmp_path))
    yield workspace
    workspace.shutdown()


def _note(workspace: Workspace, number: int) -> None:
    with workspace.store.transaction(write=True):
        workspace.store.execute(
            "INSERT INTO system_rows (name, body) VALUES (?, ?)", (NAME, json.dumps({"n": number}))
        )


def test_a_batch_stays_the_same_until_it_was_appended(workspace: Workspace) -> None:
    _note(workspace, 1)
    first = SystemExport(workspace, lambda: None).batch(NAME)
    _note(workspace, 2)
    again = SystemExport(workspace, lambda: None)
    assert again.batch(NAME) == first == (first[0], [{"n": 1}])
    again.forget(NAME, first[0])
    assert again.batch(NAME) == (first[0] + 1, [{"n": 2}])


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
    _note(workspace, 1)
    export = SystemExport(workspace, lambda: None)
    assert export.flush() == 0
    assert export.batch(NAME)[1] == [{"n": 1}]

"""The rows that wait for the system tables."""

from __future__ import annotations

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

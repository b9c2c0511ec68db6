"""The history of SQL statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from laketop.errors import LaketopError
from laketop.settings import Settings
from laketop.workspace.query_log import KEPT_MS, Filter, QueryLog, statement_type
from laketop.workspace.statements import Order, Statement
from laketop.workspace.system_tables import QUERY_HISTORY
from laketop.workspace.workspace import Workspace

ORDER = Order(text="SELECT 1", user="ann", warehouse_id="w")


def _nowhere() -> NoReturn:
    raise LaketopError("there is no engine")


def _ended(statement: Statement) -> None:
    statement.start(_nowhere)
    statement.ended.wait()


class Time:
    now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(Settings(root=tmp_path, cache=tmp_path))
    yield workspace
    workspace.shutdown()


@pytest.fixture
def log(workspace: Workspace, time: Time) -> QueryLog:
    return QueryLog(workspace.store, now_ms=time, workspace_id="7")


def _listed(workspace: Workspace, log: QueryLog) -> list[dict[str, Any]]:
    with workspace.store.reading():
        return log.page(Filter(), size=10, after=None)


def _exported(workspace: Workspace) -> int:
    with workspace.store.reading():
        rows = workspace.store.execute(
            "SELECT count(*) FROM system_rows WHERE name = ?", (QUERY_HISTORY,)
        )
    return int(rows[0][0])


def test_a_statement_is_listed_from_its_start_and_ends_once(
    workspace: Workspace, log: QueryLog, time: Time, tmp_path: Path
) -> None:
    statement = Statement("a", ORDER, tmp_path, time, note=log.note)
    log.note(statement)
    assert [(one["id"], one["status"]) for one in _listed(workspace, log)] == [("a", "RUNNING")]
    assert _exported(workspace) == 0
    time.now += 5
    _ended(statement)
    log.note(statement)
    (told,) = _listed(workspace, log)
    assert (told["status"], told["end_ms"] - told["start_ms"]) == ("FAILED", 5)
    assert told["error_message"] == "there is no engine"
    assert _exported(workspace) == 1


def test_what_an_earlier_process_left_running_has_failed(
    workspace: Workspace, log: QueryLog, time: Time, tmp_path: Path
) -> None:
    log.note(Statement("a", ORDER, tmp_path, time))
    time.now += 9
    log.settle()
    log.settle()
    (told,) = _listed(workspace, log)
    assert told["status"] == "FAILED"
    assert "workspace ended" in told["error_message"]
    assert _exported(workspace) == 1


def test_statements_are_listed_for_thirty_days(
    workspace: Workspace, log: QueryLog, time: Time, tmp_path: Path
) -> None:
    _ended(Statement("old", ORDER, tmp_path, time, note=log.note))
    time.now += KEPT_MS
    assert [one["id"] for one in _listed(workspace, log)] == ["old"]
    time.now += 1
    assert _listed(workspace, log) == []
    _ended(Statement("new", ORDER, tmp_path, time, note=log.note))
    with workspace.store.reading():
        assert workspace.store.execute("SELECT id FROM statements") == [("new",)]
    assert _exported(workspace) == 2


def test_a_log_that_cannot_write_stops_no_statement(
    workspace: Workspace, log: QueryLog, time: Time, tmp_path: Path
) -> None:
    workspace.store.close()
    statement = Statement("a", ORDER, tmp_path, time, note=log.note)
    _ended(statement)
    assert statement.state == "FAILED"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", "SELECT"),
        ("-- a note\n /* and\nmore */ ( SELECT 1)", "SELECT"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT"),
        ("with a as (select 1) insert into t select * from a", "INSERT"),
        ("VALUES (1)", "SELECT"),
        ("desc t", "DESCRIBE"),
        ("CREATE TABLE t (a INT)", "CREATE"),
        ("COPY INTO t FROM 'x'", "COPY"),
        ("CALL p()", "OTHER"),
        ("", "OTHER"),
    ],
)
def test_the_type_of_a_statement_is_its_first_word(text: str, kind: str) -> None:
    assert statement_type(text) == kind

"""Lineage on its way from the engine's journal to rows and edges."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laketop.settings import Settings
from laketop.workspace.lineage import Intake, column_rows, table_rows
from laketop.workspace.system_tables import COLUMN_LINEAGE, KEPT_MS, TABLE_LINEAGE, TABLES
from laketop.workspace.workspace import Workspace

A = {"type": "TABLE", "name": "main.s.a"}
V = {"type": "VIEW", "name": "main.s.v"}
FILES = {"type": "PATH", "path": "/Volumes/main/s/v/x"}
NOW_MS = 1_700_000_000_000
EVENT = {
    "time": NOW_MS,
    "user": "ann",
    "operation": "11111111-2222-3333-4444-555555555555",
    "caller": "JOB:3:5:6",
    "sources": [A, FILES],
    "target": V,
    "columns": [[0, "id", "k"], [1, "n", "k"]],
}
TOLD = {**EVENT, "metastore_id": "7", "workspace_id": "8"}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(Settings(root=tmp_path, cache=tmp_path))
    yield workspace
    workspace.shutdown()


@pytest.fixture
def journal(workspace: Workspace) -> Path:
    folder = workspace.state / "catalog" / "_lineage"
    folder.mkdir()
    return folder


def _write(file: Path, *lines: Any, end: str = "\n") -> None:
    with file.open("a", encoding="utf-8") as journal:
        journal.write("\n".join(json.dumps(line) for line in lines) + end)


def _rows(workspace: Workspace) -> Counter[str]:
    with workspace.store.reading():
        names = workspace.store.execute("SELECT name FROM system_rows")
    return Counter(name for (name,) in names if "lineage" in name)


def _intake(
    workspace: Workspace, journal: Path, most: int = 10_000, now_ms: int = NOW_MS
) -> Intake:
    return Intake(
        workspace.store,
        journal.parent,
        metastore_id="7",
        workspace_of=lambda job_id: f"of {job_id}",
        now_ms=lambda: now_ms,
        most_bytes=most,
    )


def _taken(workspace: Workspace, journal: Path) -> Counter[str]:
    _intake(workspace, journal).take()
    return _rows(workspace)


def test_every_row_has_the_columns_of_its_table() -> None:
    rows = [*table_rows(TOLD), *column_rows(TOLD)]
    assert Counter(name for name, _ in rows) == {TABLE_LINEAGE: 2, COLUMN_LINEAGE: 2}
    for name, row in rows:
        columns = [part.split()[0] for part in TABLES[name].split(",") if ":" not in part]
        assert set(columns) <= set(row)
        assert all(f"{column} " in TABLES[name] for column in row)
        assert (row["entity_type"], row["entity_id"], row["entity_run_id"]) == ("JOB", "3", "5")
    assert [row["source_path"] for _, row in rows] == [None, FILES["path"]] * 2


def test_a_read_has_no_target_and_a_write_of_values_no_source() -> None:
    (read,) = table_rows({**TOLD, "sources": [A], "target": None})
    (write,) = table_rows({**TOLD, "sources": [], "columns": []})
    assert (read[1]["source_type"], read[1]["target_type"]) == ("TABLE", None)
    assert (write[1]["source_type"], write[1]["target_type"]) == (None, "VIEW")


def test_a_statement_over_rest_names_itself_and_no_entity() -> None:
    (row, *_) = [row for _, row in table_rows({**TOLD, "caller": "SQL:abc:9"})]
    assert (row["statement_id"], row["entity_type"], row["entity_metadata"]) == ("abc", None, None)


def test_each_line_is_taken_once_by_whoever_looks(workspace: Workspace, journal: Path) -> None:
    file = journal / "1.jsonl"
    _write(file, EVENT, EVENT)
    expected = {TABLE_LINEAGE: 4, COLUMN_LINEAGE: 4}
    assert _taken(workspace, journal) == expected
    assert _taken(workspace, journal) == expected


def test_a_line_that_is_still_being_written_waits(workspace: Workspace, journal: Path) -> None:
    file = journal / "1.jsonl"
    text = json.dumps(EVENT)
    file.write_text(text[:30], encoding="utf-8")
    assert _taken(workspace, journal) == {}
    file.write_text(text + "\n", encoding="utf-8")
    assert _taken(workspace, journal) == {TABLE_LINEAGE: 2, COLUMN_LINEAGE: 2}


def test_only_the_journal_that_the_engine_writes_stays(workspace: Workspace, journal: Path) -> None:
    for number in range(3):
        _write(journal / f"{number}.jsonl", EVENT)
    assert _taken(workspace, journal) == {TABLE_LINEAGE: 6, COLUMN_LINEAGE: 6}
    assert [file.name for file in journal.iterdir()] == ["2.jsonl"]


@pytest.mark.parametrize("line", ["nonsense", "{}", "[]", '{"time": 1}', json.dumps(EVENT)[:-1]])
def test_a_line_that_is_no_event_is_left_out(
    workspace: Workspace, journal: Path, line: str
) -> None:
    file = journal / "1.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    _write(file, EVENT)
    assert _taken(workspace, journal) == {TABLE_LINEAGE: 2, COLUMN_LINEAGE: 2}


def test_an_event_is_of_the_workspace_of_its_job_or_statement(
    workspace: Workspace, journal: Path
) -> None:
    callers = ("JOB:3:5:6", "SQL:abc:9", "JOB:x:1", "SQL:", None)
    _write(journal / "1.jsonl", *({**EVENT, "caller": caller} for caller in callers))
    _taken(workspace, journal)
    with workspace.store.reading():
        rows = workspace.store.execute(
            "SELECT body FROM system_rows WHERE name = ? ORDER BY id", (TABLE_LINEAGE,)
        )
    told = [json.loads(body) for (body,) in rows[::2]]
    assert [row["workspace_id"] for row in told] == ["of 3", "9", "of 0", "of 0", "of 0"]
    assert {row["metastore_id"] for row in told} == {"7"}


def test_edges_are_kept_once_with_their_last_time(workspace: Workspace, journal: Path) -> None:
    times = (NOW_MS - 3_000, NOW_MS - 1_000)
    _write(journal / "1.jsonl", *({**EVENT, "time": time} for time in times))
    _taken(workspace, journal)
    with workspace.store.reading():
        edges = workspace.store.execute("SELECT source, target, job_id, last_ms FROM lineage")
        columns = workspace.store.execute("SELECT source, source_column FROM column_lineage")
    last = ("main.s.v", "3", times[1])
    assert edges == [(FILES["path"], *last), ("main.s.a", *last)]
    assert columns == [(FILES["path"], "n"), ("main.s.a", "id")]


def test_edges_of_which_nothing_was_heard_for_a_year_are_forgotten(
    workspace: Workspace, journal: Path
) -> None:
    old = {**EVENT, "sources": [{**A, "name": "main.s.old"}], "columns": [[0, "id", "k"]]}
    _write(journal / "1.jsonl", old)
    _intake(workspace, journal, now_ms=NOW_MS + KEPT_MS).take()
    _write(journal / "1.jsonl", {**EVENT, "time": NOW_MS + 1})
    _intake(workspace, journal, now_ms=NOW_MS + KEPT_MS + 1).take()
    with workspace.store.reading():
        for table in ("lineage", "column_lineage"):
            left = workspace.store.execute(f"SELECT source FROM {table} ORDER BY 1")  # noqa: S608 - our own words
            assert left == [(FILES["path"],), ("main.s.a",)]


@pytest.mark.parametrize("most", [len(json.dumps(EVENT)) + 100, 10_000])
def test_a_journal_is_taken_in_by_parts(workspace: Workspace, journal: Path, most: int) -> None:
    _write(journal / "1.jsonl", *itertools.repeat(EVENT, 5))
    _intake(workspace, journal, most).take()
    assert _rows(workspace)[TABLE_LINEAGE] == 10


def test_a_line_that_is_too_long_does_not_stop_the_others(
    workspace: Workspace, journal: Path
) -> None:
    most = len(json.dumps(EVENT)) + 100
    _write(journal / "1.jsonl", {**EVENT, "user": "x" * 2 * most}, EVENT, EVENT)
    _intake(workspace, journal, most).take()
    assert _rows(workspace)[TABLE_LINEAGE] == 4

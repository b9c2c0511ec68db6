"""The last commits of a Delta table, read from its log without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop.workspace.ui.history import history


def _commit(table: Path, version: int) -> None:
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    info = {"commitInfo": {"timestamp": version * 1000, "operation": "WRITE"}}
    lines = [json.dumps(one) for one in ({"add": {"path": f"{version}.parquet"}}, info)]
    (log / f"{version:020}.json").write_text("\n".join(lines), encoding="utf-8")


def test_the_newest_commits_come_first_and_by_pages(tmp_path: Path) -> None:
    for version in range(12):
        _commit(tmp_path, version)
    assert [one.version for one in history(tmp_path, 5)] == [11, 10, 9, 8, 7]
    assert [one.version for one in history(tmp_path, 5, before=7)] == [6, 5, 4, 3, 2]
    newest = history(tmp_path, 1)[0]
    assert (newest.at_ms, newest.operation, newest.metrics) == (11_000, "WRITE", {})


@pytest.mark.parametrize("text", ["", '"commitInfo" but not json', '{"metaData": {}}'])
def test_a_commit_that_tells_nothing_of_itself_is_listed_by_its_version(
    tmp_path: Path, text: str
) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()
    (log / f"{3:020}.json").write_text(text, encoding="utf-8")
    assert [(one.version, one.at_ms, one.operation) for one in history(tmp_path, 5)] == [
        (3, None, "")
    ]


def test_what_is_no_delta_table_has_no_history(tmp_path: Path) -> None:
    assert history(tmp_path, 5) == []

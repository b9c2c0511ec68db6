"""One table, looked at while the engine is not there; the rows are in the tests of the engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.integration.workspace.ui.conftest import HOSTILE, Look

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

_TABLE = "/explore/data/main/default/orders"


@pytest.fixture(scope="module", autouse=True)
def table(workspace: Workspace) -> None:
    folder = workspace.state / "catalog" / "main" / "default"
    log = folder / "orders" / "_delta_log"
    log.mkdir(parents=True)
    fields = [{"name": HOSTILE, "type": "long", "nullable": True, "metadata": {}}]
    metadata = {"id": "1", "schemaString": json.dumps({"type": "struct", "fields": fields})}
    for version in range(30):
        info = {
            "timestamp": 1_700_000_000_000 + version,
            "operation": "MERGE",
            "operationMetrics": {"numTargetRowsInserted": str(version)},
            "operationParameters": {"predicate": HOSTILE},
        }
        lines = [{"commitInfo": info}, *([{"metaData": metadata}] if version == 0 else [])]
        text = "\n".join(json.dumps(line) for line in lines)
        (log / f"{version:020}.json").write_text(text, encoding="utf-8")
    (folder / "_views").mkdir(exist_ok=True)
    view = json.dumps({"query": f"SELECT '{HOSTILE}'"})
    (folder / "_views" / "recent.json").write_text(view, encoding="utf-8")


def test_a_table_shows_its_columns_without_an_engine(look: Look) -> None:
    page = look(_TABLE)
    assert HOSTILE in page.text
    assert "bigint" in page.text
    assert "Delta table" in page.text


def test_its_rows_need_the_engine_and_the_page_says_so(look: Look) -> None:
    assert "the engine, which is not there" in look(f"{_TABLE}?tab=rows").text


def test_its_history_is_told_by_pages(look: Look) -> None:
    first = look(f"{_TABLE}?tab=history")
    assert "numTargetRowsInserted 29" in " ".join(first.text.split())
    assert HOSTILE in first.text
    older = next(one for one in first.links if "page=" in one)
    second = look(older)
    assert first.html.count("<tr>") == 26
    assert second.html.count("<tr>") == 6


def test_a_view_shows_its_text(look: Look) -> None:
    page = look("/explore/data/main/default/recent?tab=details")
    assert f"SELECT '{HOSTILE}'" in page.text


def test_a_tab_that_is_none_is_the_first(look: Look) -> None:
    assert "bigint" in look(f"{_TABLE}?tab=%3Cscript%3E").text

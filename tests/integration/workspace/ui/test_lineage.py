"""The lineage of a table, drawn; the statements that make it are in the tests of the engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.integration.workspace.ui.conftest import HOSTILE, Look

from laketop.workspace.clock import wall_ms

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

_PAGE = "/explore/data/main/default/{}?tab=lineage"


def _table(name: str) -> dict[str, str]:
    return {"type": "TABLE", "name": f"main.default.{name}"}


@pytest.fixture(scope="module", autouse=True)
def journal(workspace: Workspace) -> None:
    """Let `first` and files lead to `second` and on to `third`, which leads back."""
    catalog = workspace.state / "catalog"
    views = catalog / "main" / "default" / "_views"
    views.mkdir(parents=True, exist_ok=True)
    for name in ("second", "lonely"):
        (views / f"{name}.json").write_text(json.dumps({"query": "SELECT 1"}), encoding="utf-8")
    files = {"type": "PATH", "path": f"file:/x/{HOSTILE}"}
    steps = [([_table("first"), files], "second"), ([_table("second")], "third")]
    steps += [([_table("third")], "first")]
    (catalog / "_lineage").mkdir(exist_ok=True)
    with (catalog / "_lineage" / "1.jsonl").open("w", encoding="utf-8") as file:
        for sources, target in steps:
            columns = [[0, HOSTILE, "n"]]
            event = {"time": wall_ms(), "user": "u", "operation": "o", "caller": None}
            told = {**event, "sources": sources, "target": _table(target), "columns": columns}
            file.write(json.dumps(told) + "\n")


def test_what_leads_to_a_table_and_on_is_drawn_and_linked(look: Look) -> None:
    page = look(_PAGE.format("second"))
    for name in ("first", "third"):
        assert f"/explore/data/main/default/{name}" in page.links
    assert HOSTILE in page.text
    assert "4 tables and paths" in page.html


def test_a_table_that_nothing_read_or_wrote_says_so(look: Look) -> None:
    assert "No statement has read or written it" in look(_PAGE.format("lonely")).text

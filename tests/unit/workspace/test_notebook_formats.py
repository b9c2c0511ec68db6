"""Notebooks in other formats: the cells stay what they are, whatever they are written as."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Cell, parse_jupyter, parse_source
from laketop.workspace.notebook_formats import (
    from_html,
    from_r_markdown,
    source_of,
    to_html,
    to_jupyter,
    to_r_markdown,
    to_source,
)

SOURCE = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # Delays
# MAGIC
# MAGIC by carrier

# COMMAND ----------

# DBTITLE 1,Count <them>
x = 1

def f():
    return "ä"

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT 1
# MAGIC   AS n

# COMMAND ----------

# MAGIC %pip install thing
"""


def _bare(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    return [(cell.language, cell.source.strip("\n")) for cell in cells]


def test_source_becomes_jupyter_and_comes_back_as_it_was() -> None:
    jupyter = to_jupyter(SOURCE.encode(), suffix=".py", name="nb")
    told = json.loads(jupyter)
    assert [cell["cell_type"] for cell in told["cells"]] == ["markdown", "code", "code", "code"]
    assert told["cells"][2]["source"][0] == "%sql\n"
    cell = told["cells"][1]["metadata"]["application/vnd.databricks.v1+cell"]
    assert cell["title"] == "Count <them>"
    assert to_source(jupyter, name="nb").decode() == SOURCE.replace(
        "# DBTITLE 1,Count <them>\n", ""
    )


def test_a_notebook_of_another_language_keeps_it_cell_by_cell() -> None:
    text = "-- Databricks notebook source\nSELECT 1\n-- COMMAND ----------\n-- MAGIC %python\n"
    jupyter = to_jupyter(f"{text}-- MAGIC 1 + 1\n".encode(), suffix=".sql", name="nb")
    cells = parse_jupyter(jupyter.decode()).cells
    assert _bare(cells) == [("sql", "SELECT 1"), ("python", "1 + 1")]
    assert _bare(parse_source(to_source(jupyter, name="nb").decode()).cells) == _bare(cells)


def _model(model: object) -> str:
    return base64.b64encode(quote(json.dumps(model)).encode()).decode()


_LINES = st.lists(st.sampled_from(["x = 1", "  y", "", "# note", "%pip list", "#é", "<b>"]))
_CELLS = st.builds(
    lambda language, lines: (language, "\n".join(lines).strip("\n")),
    st.sampled_from(["python", "md", "sql", "sh"]),
    _LINES,
)


@given(st.lists(_CELLS))
def test_cells_survive_both_ways(made: list[tuple[str, str]]) -> None:
    written = [text if lang == "python" else f"%{lang}\n{text}" for lang, text in made]
    cells = [{"cell_type": "code", "source": text} for text in written]
    jupyter = json.dumps({"nbformat": 4, "cells": cells})
    wanted = _bare(parse_jupyter(jupyter).cells)

    source = to_source(jupyter.encode(), name="nb")
    again = to_jupyter(source, suffix=".py", name="nb")

    assert _bare(parse_source(source.decode()).cells) == wanted
    assert _bare(parse_jupyter(again.decode()).cells) == wanted


@given(st.lists(_CELLS))
def test_cells_survive_html_and_r_markdown(made: list[tuple[str, str]]) -> None:
    written = [text if lang == "python" else f"%{lang}\n{text}" for lang, text in made]
    cells = [{"cell_type": "code", "source": text} for text in written]
    jupyter = json.dumps({"nbformat": 4, "cells": cells}).encode()
    wanted = _bare(parse_jupyter(jupyter.decode()).cells)

    page = from_html(to_html(jupyter, suffix=".ipynb", name="nb"), name="nb")
    rmd = from_r_markdown(to_r_markdown(jupyter, suffix=".ipynb", name="nb"), name="nb")

    assert (page.language, _bare(page.cells)) == ("python", wanted)
    assert (rmd.language, _bare(rmd.cells)) == (
        "r",
        [cell for cell in wanted if cell != ("md", "")],  # which is no text at all
    )
    kept = source_of(rmd).decode()
    assert _bare(parse_source(kept, suffix=".r").cells) == _bare(rmd.cells)


def test_r_markdown_of_others_becomes_cells() -> None:
    text = (
        "---\ntitle: T\noutput: html_document\n---\n\n# Head\n\ntext\n\n"
        "```{r setup, echo=FALSE}\nx <- 1\n```\nmore\n\n```{bash}\nls\n```\n\n"
        "````{python}\ns = '```'\n````\n```\nplain\n```\n"
    )
    assert _bare(from_r_markdown(text.encode(), name="nb").cells) == [
        ("md", "# Head\n\ntext"),
        ("r", "x <- 1"),
        ("md", "more"),
        ("sh", "ls"),
        ("python", "s = '```'"),
        ("md", "```\nplain\n```"),
    ]


@pytest.mark.parametrize(
    "model",
    [
        *("bm9uZQ==", "!", "JTdCJTdE", _model({"language": "perl", "commands": []})),
        _model({"language": "r", "commands": [{"position": 10**400, "command": ""}]}),
        _model({"language": "r", "commands": [{"position": 1, "command": "\ud800"}]}),
    ],
)
def test_a_page_with_another_model_is_refused(model: str) -> None:
    page = f"<script>var __DATABRICKS_NOTEBOOK_MODEL = '{model}'</script>"
    with pytest.raises(ConfigError, match="'nb' is not a notebook"):
        from_html(page.encode(), name="nb")


def test_a_page_shows_the_cells_and_runs_none_of_them() -> None:
    source = SOURCE.replace("x = 1", "x = '<script>alert(1)</script>'")
    shown = to_html(source.encode(), suffix=".py", name="<nb>").decode()
    assert re.findall("<script.*?</script>", shown) == [
        match[0] for match in re.finditer(r"<script>var \w+ = '[A-Za-z0-9+/=]*'</script>", shown)
    ]
    assert shown.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in shown
    assert "<title>&lt;nb&gt;</title>" in shown
    assert "Count &lt;them&gt;" in shown
    jupyter = to_jupyter(SOURCE.encode(), suffix=".py", name="nb")
    assert "SELECT 1" in to_html(jupyter, suffix=".ipynb", name="nb").decode()


@pytest.mark.parametrize("content", [b"x = 1", b"\xff", b"{}", b""])
def test_what_is_no_notebook_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigError, match="not a"):
        to_jupyter(content, suffix=".py", name="nb")
    with pytest.raises(ConfigError, match="not a"):
        to_source(content, name="nb")

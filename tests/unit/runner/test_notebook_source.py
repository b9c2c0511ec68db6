"""Notebook source: cells, magics and titles out of .py, .sql and .ipynb."""

from __future__ import annotations

import json

import pytest

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Notebook, parse_jupyter, parse_source

HEADER = "# Databricks notebook source\n"
SPLIT = "\n# COMMAND ----------\n"


def languages(notebook: Notebook) -> list[str]:
    return [cell.language for cell in notebook.cells]


def test_cells_are_split_at_command_lines_and_empty_ones_dropped() -> None:
    notebook = parse_source(HEADER + "a = 1" + SPLIT + "\n\n" + SPLIT + "b = 2\n")

    assert [(cell.source, cell.number) for cell in notebook.cells] == [("a = 1", 1), ("b = 2", 2)]


def test_magic_lines_lose_their_comment_and_one_space() -> None:
    notebook = parse_source(
        HEADER + "# MAGIC %sql\n# MAGIC select\n# MAGIC   1\n# MAGIC\n# MAGIC x"
    )

    assert notebook.cells[0].language == "sql"
    assert notebook.cells[0].source == "select\n  1\n\nx"


def test_the_rest_of_the_magic_line_belongs_to_the_cell() -> None:
    notebook = parse_source(HEADER + "# MAGIC %sql values 1,\n# MAGIC 2")

    assert notebook.cells[0].source == "values 1,\n2"


@pytest.mark.parametrize("line", ["# DBTITLE 1,Load", "# DBTITLE 1, Load"])
def test_a_title_is_no_part_of_the_cell(line: str) -> None:
    notebook = parse_source(HEADER + line + "\nx = 1")

    assert notebook.cells[0].title == "Load"
    assert notebook.cells[0].source == "x = 1"


def test_a_magic_may_stand_below_comments() -> None:
    notebook = parse_source(HEADER + "# why\n# MAGIC %run ./other")

    assert languages(notebook) == ["run"]
    assert notebook.cells[0].source == "./other"


@pytest.mark.parametrize("line", ["%cd $folder", "!ls", "%time x = 1", "%pip install pandas"])
def test_magics_of_ipython_stay_in_the_python_cell(line: str) -> None:
    notebook = parse_source(HEADER + line + "\ny = 2")

    assert languages(notebook) == ["python"]
    assert notebook.cells[0].source == line + "\ny = 2"


@pytest.mark.parametrize("language", ["scala", "r", "sh", "md", "md-sandbox", "fs", "python"])
def test_a_cell_of_another_language_is_named(language: str) -> None:
    assert languages(parse_source(f"{HEADER}# MAGIC %{language}\n# MAGIC x")) == [language]


def test_a_sql_notebook_has_dashes_and_python_cells_by_magic() -> None:
    lines = ("-- Databricks notebook source", "x", "-- COMMAND ----------", "-- MAGIC %python", "y")
    notebook = parse_source("\n".join(lines), suffix=".sql")

    assert notebook.language == "sql"
    assert languages(notebook) == ["sql", "python"]


def test_windows_line_ends_are_read() -> None:
    notebook = parse_source((HEADER + "a" + SPLIT + "b").replace("\n", "\r\n"))

    assert [cell.source for cell in notebook.cells] == ["a", "b"]


def test_a_plain_python_file_is_no_notebook() -> None:
    with pytest.raises(ConfigError, match=r"'job\.py' is not a notebook") as caught:
        parse_source("x = 1", file="job.py")
    assert caught.value.hint == "its first line must be '# Databricks notebook source'"


def test_jupyter_cells_are_read_and_outputs_are_not() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# hi"]},
        {"cell_type": "code", "source": ["a = 1\n", "a"], "outputs": [{"text": "old"}]},
        {"cell_type": "code", "source": "%sql\nselect 1"},
        {"cell_type": "raw", "source": "x"},
    ]
    notebook = parse_jupyter(json.dumps({"nbformat": 4, "cells": cells}))

    assert languages(notebook) == ["md", "python", "sql", "md"]
    assert notebook.cells[1].source == "a = 1\na"


@pytest.mark.parametrize("text", ["{", "{}", '{"nbformat": 3}', "[]", '{"nbformat": 4}'])
def test_what_is_not_jupyter_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"nbformat|not a Jupyter notebook"):
        parse_jupyter(text, file="x.ipynb")

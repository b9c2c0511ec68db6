from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop.bundle.lint.code import Code, read_code

HEAD = "# Databricks notebook source\n"


def code_of(folder: Path, text: str, name: str = "nb.py") -> Code:
    (folder / name).write_text(text, encoding="utf-8")
    code = read_code(folder / name, folder)
    assert code is not None
    return code


def test_widgets_are_those_declared_and_those_read(tmp_path: Path) -> None:
    code = code_of(
        tmp_path,
        "dbutils.widgets.text('a', '')\nx = dbutils.widgets.get('b')\ngetArgument('c')\n"
        "getArgument('d', '1')\n",
    )
    assert code.widgets == {"a"}
    assert {name: place.line for name, place in code.asked.items()} == {"b": 2, "c": 3}


def test_task_values_are_those_set_and_those_read_without_a_default(tmp_path: Path) -> None:
    code = code_of(
        tmp_path,
        "dbutils.jobs.taskValues.set(key='k', value=1)\n"
        "dbutils.jobs.taskValues.get('t', 'a')\n"
        "dbutils.jobs.taskValues.get(taskKey='t', key='b', default=0)\n",
    )
    assert code.values == {"k"}
    assert list(code.wanted) == [("t", "a")]


def test_a_key_that_only_a_run_knows_leaves_the_values_open(tmp_path: Path) -> None:
    assert code_of(tmp_path, "dbutils.jobs.taskValues.set(name, 1)").open == {"values"}


@pytest.mark.parametrize("text", ["f(dbutils)", "v, w = dbutils.jobs.taskValues, dbutils.widgets"])
def test_what_is_done_by_another_name_is_unknown(tmp_path: Path, text: str) -> None:
    assert code_of(tmp_path, text).open == {"values", "widgets"}


def test_tables_may_hold_values_of_a_run(tmp_path: Path) -> None:
    code = code_of(
        tmp_path,
        "spark.read.format('delta').table('a.b')\n"
        "df.write.mode('append').saveAsTable(f'{schema}.t')\n"
        "spark.sql(f'INSERT INTO {schema}.u SELECT * FROM {other}.v')\n",
    )
    assert set(code.read) == {"a.b", "{other}.v"}
    assert code.written == {"{schema}.t", "{schema}.u"}
    assert code_of(tmp_path, "df.write.saveAsTable(name)").open == {"written"}
    assert code_of(tmp_path, "df.write.saveAsTable(f'{name}')").open == {"written"}


def test_cells_of_sql_count_and_magics_are_no_python(tmp_path: Path) -> None:
    cells = (
        "%load_ext autoreload",
        "# MAGIC %sql\n# MAGIC SELECT *\n# MAGIC FROM a.b",
        "# MAGIC %pip install lightgbm",
        "if True:\n    !ls\nimport json",
    )
    code = code_of(tmp_path, HEAD + "\n# COMMAND ----------\n".join(cells))
    assert list(code.read) == ["a.b"]
    assert code.installs == ["lightgbm"]
    assert list(code.modules) == ["json"]
    assert code.modules["json"].line == 12


def test_a_jupyter_notebook_is_its_cells(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "import nothing"},
        {"cell_type": "code", "source": ["%sql\n", "select * from a.b"]},
        {"cell_type": "code", "source": "import os\n"},
        {"cell_type": "code", "source": "%sh\nnot python ("},
    ]
    code = code_of(tmp_path, json.dumps({"cells": cells}), "nb.ipynb")
    assert (list(code.read), list(code.modules)) == (["a.b"], ["os"])


def test_a_notebook_that_is_run_belongs_to_the_one_that_runs_it(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(HEAD + "dbutils.widgets.text('a', '')\n", encoding="utf-8")
    code = code_of(tmp_path, HEAD + "# MAGIC %run ./setup\n")
    assert code.widgets == {"a"}


def test_imports_that_a_program_copes_without_do_not_count(tmp_path: Path) -> None:
    code = code_of(
        tmp_path,
        "try:\n    import fast\nexcept ImportError:\n    fast = None\nfrom a.b import c\n"
        "from . import d\n",
    )
    assert list(code.modules) == ["a"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("x.py", "def ("), ("x.scala", "val x = 1"), ("x.ipynb", "no json"), ("x.py", "%run ./no")],
)
def test_what_cannot_be_parsed_is_unknown(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_code(tmp_path / name, tmp_path) is None
    assert read_code(tmp_path / "absent.py", tmp_path) is None


def test_notebooks_that_run_each_other_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("# MAGIC %run ./b\n", encoding="utf-8")
    (tmp_path / "b.py").write_text("# MAGIC %run ./a\n", encoding="utf-8")
    assert read_code(tmp_path / "a.py", tmp_path) is None

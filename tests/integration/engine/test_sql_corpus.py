"""The statements under fixtures/sql, through Spark Connect and as statements over REST.

`--update` writes what Spark Connect answers. Over REST one file is run, and at full sizes all.
"""

from __future__ import annotations

import difflib
import re
import time
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import sql
from hypothesis import settings
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from tests import sql_corpus
from tests.engines import RUNTIME
from tests.sql_corpus import Step

from laketop.engine.connect import RemoteEngine
from laketop.workspace.daemon import Contact

FULL = settings().max_examples >= 10_000
_FILES = sorted(sql_corpus.FOLDER.glob("*.sql"))
_OVER_REST = _FILES if FULL else [file for file in _FILES if file.stem == "queries"]
_OF_A_SESSION = re.compile(r"(USE|DECLARE|SET VARIABLE|CREATE TEMPORARY)\b")
"""What is gone with its session: each statement over REST has its own."""
_SIMPLE = {"string", "tinyint", "smallint", "int", "bigint", "boolean"}
_RUNS = {sql.StatementState.PENDING, sql.StatementState.RUNNING}
_MOST_ROWS = 30
_ROOT = re.compile(r"file:/+[^']*?/\.laketop/catalog/")
"""Where the catalogs lie, which differs from run to run."""
_PLACE = re.compile(r"; line \d+ pos \d+$")


def answer(spark: SparkSession, step: Step, schema: str) -> list[str]:
    """Return what a statement answers, without what differs from run to run."""
    try:
        frame = spark.sql(step.sql.format(schema=schema))
        if step.columns:
            frame = frame.select(*step.columns.split(", "))
        rows = frame.collect()
    except PySparkException as error:
        told = [_error(str(error), error.getCondition() or type(error).__name__)]
    else:
        types = ", ".join(f"{c.name} {c.dataType.simpleString()}" for c in frame.schema)
        told = [types] if types else []
        told += [", ".join(_value(value) for value in row) for row in rows[:_MOST_ROWS]]
    return [_ROOT.sub("{root}/", line.replace(schema, "{schema}")) for line in told]


def _error(message: str, condition: str | None = None) -> str:
    found = re.search(r"\[([A-Z0-9_.]+)\] *(.*)", message)
    if found is None and condition is not None:
        return f"error {condition}"  # of Spark's older errors, which do not tell it
    assert found is not None, message
    keep = found[1] in {sql_corpus.REFUSED, "UC_HIVE_METASTORE_DISABLED_EXCEPTION"}
    return f"error {found[1]}" + (f": {_PLACE.sub('', found[2].strip())}" if keep else "")


def _value(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


@pytest.mark.parametrize("file", _FILES, ids=lambda f: f.stem)
def test_statements_answer_as_written(
    file: Path, schema: str, laketop_engine: str, request: pytest.FixtureRequest
) -> None:
    session = RemoteEngine(laketop_engine).session()
    name = schema.removeprefix("main.")
    session.sql(f"USE {schema}")
    cases = sql_corpus.read_for(file, RUNTIME)
    before = sql_corpus.text(cases)
    for case in cases:
        for step in case.steps:
            step.expected = answer(session, step, name)
    session.stop()
    after = sql_corpus.text(cases)
    changed = "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True)))
    if request.config.getoption("--update"):
        sql_corpus.write_for(file, RUNTIME, cases)
    assert not changed, changed


def execute(client: WorkspaceClient, warehouse: str, text: str, schema: str) -> list[str]:
    """Return what a statement over REST answers, in the words of the corpus."""
    told = client.statement_execution.execute_statement(
        text, warehouse, catalog="main", schema=schema, wait_timeout="50s"
    )
    while told.status and told.status.state in _RUNS and told.statement_id:
        time.sleep(0.2)
        told = client.statement_execution.get_statement(told.statement_id)
    assert told.status is not None
    if told.status.error is not None:
        return [_error(told.status.error.message or "")]
    columns = told.manifest.schema.columns or [] if told.manifest and told.manifest.schema else []
    types = [(column.name or "", (column.type_text or "").lower()) for column in columns]
    found = told.result.data_array or [] if told.result else []
    head = ", ".join(f"{name} {kind}" for name, kind in types)
    texts = [
        ", ".join(_text(value, kind) for value, (_, kind) in zip(row, types, strict=True))
        for row in found[:_MOST_ROWS]
    ]
    return [head, *texts] if head else texts


def _text(value: str | None, kind: str) -> str:
    if value is None:
        return "None"
    return repr(value) if kind == "string" else value.capitalize() if kind == "boolean" else value


def _comparable(lines: list[str]) -> list[str]:
    """Return the lines, or how many they are, where REST writes a type in a way of its own."""
    types = re.sub(r"\s+", " ", lines[0]) if lines else ""
    simple = all(column.split(" ")[-1] in _SIMPLE for column in types.split(", "))
    told = types.startswith("error ") or simple
    return lines if told else [types.replace(": ", ":"), str(len(lines) - 1)]


@pytest.mark.parametrize("file", _OVER_REST, ids=lambda f: f.stem)
def test_statements_over_rest_answer_as_written(
    file: Path, schema: str, workspace: Contact, laketop_engine: str
) -> None:
    assert laketop_engine
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    warehouse = next(iter(client.warehouses.list())).id or ""
    name = schema.removeprefix("main.")
    wrong = []
    for case in sql_corpus.read_for(file, RUNTIME):
        if any(_OF_A_SESSION.match(step.sql) for step in case.steps):
            continue
        for step in case.steps:
            lines = execute(client, warehouse, step.sql.format(schema=name), name)
            lines = [_ROOT.sub("{root}/", line.replace(name, "{schema}")) for line in lines]
            if not step.columns and _comparable(lines) != _comparable(step.expected):
                wrong.append((step.sql, lines, step.expected))
    assert not wrong

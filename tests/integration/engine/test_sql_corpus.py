"""The statements under fixtures/sql, through Spark Connect. `--update` shows what changed."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from tests import sql_corpus
from tests.sql_corpus import Step

from laketop.engine.connect import RemoteEngine

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
        told = [_error(str(error))]
    else:
        types = ", ".join(f"{c.name} {c.dataType.simpleString()}" for c in frame.schema)
        told = [types] if types else []
        told += [", ".join(_value(value) for value in row) for row in rows[:_MOST_ROWS]]
    return [_ROOT.sub("{root}/", line.replace(schema, "{schema}")) for line in told]


def _error(message: str) -> str:
    found = re.search(r"\[([A-Z0-9_.]+)\] *(.*)", message)
    assert found is not None, message
    keep = found[1] in {sql_corpus.REFUSED, "UC_HIVE_METASTORE_DISABLED_EXCEPTION"}
    return f"error {found[1]}" + (f": {_PLACE.sub('', found[2].strip())}" if keep else "")


def _value(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


@pytest.mark.parametrize("file", sorted(sql_corpus.FOLDER.glob("*.sql")), ids=lambda f: f.stem)
def test_statements_answer_as_written(
    file: Path, schema: str, laketop_engine: str, request: pytest.FixtureRequest
) -> None:
    session = RemoteEngine(laketop_engine).session()
    name = schema.removeprefix("main.")
    session.sql(f"USE {schema}")
    cases = sql_corpus.read(file)
    for case in cases:
        for step in case.steps:
            step.expected = answer(session, step, name)
    session.stop()
    before, after = file.read_text(encoding="utf-8"), sql_corpus.text(cases)
    changed = "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True)))
    if request.config.getoption("--update"):
        file.write_text(after, encoding="utf-8")
    assert not changed, changed

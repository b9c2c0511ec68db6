"""Who works long does not keep others waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from laketop.engine.connect import RemoteEngine


@pytest.fixture
def busy(laketop_engine: str) -> Iterator[SparkSession]:
    session = RemoteEngine(laketop_engine).session()
    yield session
    session.stop()


@pytest.mark.parametrize(
    ("tasks", "seconds"),
    [
        pytest.param(None, 300.0, id="a function that sleeps"),
        pytest.param(5000, 0.5, id="a query of many tasks"),
    ],
)
def test_others_are_answered_while_a_long_statement_runs(
    spark: SparkSession, busy: SparkSession, tmp_path: Path, tasks: int | None, seconds: float
) -> None:
    began = str(tmp_path / "began")

    def work() -> bool:
        Path(began).touch()
        time.sleep(seconds)
        return False

    rows = busy.range(0, 5000, 1, tasks).select(f.udf(lambda number: work() or number)("id"))
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(rows.collect)
        while not Path(began).exists() and not long.done():
            time.sleep(0.02)
        answers = [spark.sql("SELECT sum(id) FROM range(10)").first() for _ in range(3)]
        still_runs = not long.done()
        busy.interruptAll()
    assert [answer and answer[0] for answer in answers] == [45, 45, 45]
    assert still_runs
    assert "OPERATION_CANCELED" in str(long.exception())

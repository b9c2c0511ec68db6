"""A stream counts every row exactly once, whoever is killed meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from laketop.engine.connect import RemoteEngine
from laketop.ml import merge_each_batch
from laketop.settings import Settings
from laketop.workspace import daemon

FILES = 12

TASK = """
import sys
from pyspark.sql import SparkSession, functions as F
from laketop.ml import merge_each_batch, start_stream
spark = SparkSession.builder.getOrCreate()
print("began", flush=True)
query = start_stream(
    spark.readStream.option("maxFilesPerTrigger", 1).table("main.live.source")
    .withWatermark("at", "1 day")
    .groupBy("key").agg(F.sum("value").alias("total"), F.count("*").alias("rows"))
    .writeStream.outputMode("update")
    .option("checkpointLocation", "/Volumes/main/live/checkpoints/totals")
    .trigger(availableNow=True)
    .foreachBatch(merge_each_batch("main.live.totals", ["key"]))
)
query.awaitTermination()
print("ended", flush=True)
"""


def a_task(contact: daemon.Contact) -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return subprocess.Popen(
        [sys.executable, "-c", TASK],
        env={**own, **contact.environment()},
        stdout=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def a_session(contact: daemon.Contact) -> Iterator[SparkSession]:
    """Hand out a session, stopped before its engine may go: afterwards it would wait for it."""
    contact.wait_for_engine()
    spark = RemoteEngine(contact.spark_remote).session()
    try:
        yield spark
    finally:
        spark.stop()


def totals(spark: SparkSession) -> dict[int, tuple[int, int]]:
    rows = spark.table("main.live.totals").collect()
    assert len({row["key"] for row in rows}) == len(rows)
    return {row["key"]: (row["total"], row["rows"]) for row in rows}


def rows_so_far(spark: SparkSession) -> int:
    return sum(count for _, count in totals(spark).values())


def wait_for_more_than(spark: SparkSession, rows: int) -> int:
    deadline = time.monotonic() + 240
    while (found := rows_so_far(spark)) <= rows:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def a_source(spark: SparkSession) -> dict[int, tuple[int, int]]:
    """Make the tables, and return what the stream should come to."""
    spark.sql("CREATE SCHEMA main.live")
    spark.sql("CREATE VOLUME main.live.checkpoints")
    spark.sql("CREATE TABLE main.live.totals (key BIGINT, total BIGINT, rows BIGINT)")
    spark.sql("CREATE TABLE main.live.source (key BIGINT, value BIGINT, at TIMESTAMP)")
    spark.range(FILES * 100).selectExpr(
        "id % 7 AS key", "id AS value", "TIMESTAMP '2013-01-01' + make_interval(0,0,0,0,id) AS at"
    ).repartition(FILES).writeTo("main.live.source").append()
    values = range(FILES * 100)
    return {
        key: (sum(v for v in values if v % 7 == key), sum(1 for v in values if v % 7 == key))
        for key in range(7)
    }


def test_every_row_counts_once_through_a_killed_task_and_a_killed_engine(
    settings_of_a_new_project: Settings,
) -> None:
    contact = daemon.start(settings_of_a_new_project)
    with a_session(contact) as spark:
        expected = a_source(spark)
        with a_task(contact) as task:
            done = wait_for_more_than(spark, 0)
            task.kill()
    assert done < FILES * 100, "it was killed at work"
    with a_task(contact) as task:
        with a_session(contact) as spark:
            done = wait_for_more_than(spark, done)
        engine = contact.request("GET", "/api/laketop/1/engine")["pid"]
        os.kill(engine, signal.SIGKILL)
        task.kill()
    assert done < FILES * 100, "both were killed at work"
    with a_session(contact) as spark:
        with a_task(contact) as task:
            assert task.wait(500) == 0
        assert totals(spark) == expected


def test_a_merge_without_a_key_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"the merge into 'main\.a\.b' has no key"):
        merge_each_batch("main.a.b", [])

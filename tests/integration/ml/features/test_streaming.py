"""Streams into feature tables: every row counts exactly once, whoever is killed meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from laketop.engine.connect import RemoteEngine
from laketop.ml import FeatureEngineeringClient, current_version
from laketop.settings import Settings
from laketop.workspace import daemon

ONCE = {"availableNow": True}


def test_a_stream_is_merged_by_key_and_goes_on_where_it_was(
    client: FeatureEngineeringClient, spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    source, name = f"{schema}.source", f"{schema}.weather"
    rows = spark.createDataFrame([("EWR", 1.0), ("JFK", 2.0)], "origin string, temp double")
    rows.writeTo(source).create()
    client.create_table(name=name, primary_keys="origin", schema=rows.schema)

    def refresh() -> None:
        query = client.write_table(
            name=name,
            df=spark.readStream.table(source),
            trigger=ONCE,
            checkpoint_location=str(tmp_path / "checkpoint"),
        )
        assert query is not None
        query.awaitTermination()

    refresh()
    later = spark.createDataFrame([("JFK", 3.0), ("LGA", 4.0)], rows.schema)
    later.writeTo(source).append()
    refresh()
    found = {row["origin"]: row["temp"] for row in client.read_table(name=name).collect()}
    assert found == {"EWR": 1.0, "JFK": 3.0, "LGA": 4.0}
    done = current_version(spark, name)
    spark.createDataFrame([("SFO", 5.0), ("LAX", 6.0), ("LAX", 7.0)], rows.schema).writeTo(
        source
    ).append()
    with pytest.raises(PySparkException, match=r"weather' hold the key origin=LAX more than once"):
        refresh()
    assert current_version(spark, name) == done


LIVE = {"processingTime": "100 milliseconds"}
TASK = """
import json, sys
from pyspark.sql import SparkSession, functions as F
from laketop.ml import FeatureEngineeringClient
spark = SparkSession.builder.getOrCreate()
query = FeatureEngineeringClient(spark=spark).write_table(
    name="main.live.totals",
    df=spark.readStream.option("maxFilesPerTrigger", 1).table("main.live.source")
    .withWatermark("at", "1 day")
    .groupBy("key").agg(F.sum("value").alias("total"), F.count("*").alias("rows")),
    checkpoint_location="/Volumes/main/live/checkpoints/totals",
    trigger=json.loads(sys.argv[1]),
)
query.awaitTermination()
"""
FILES, ROWS = 6, 1_000


def a_task(contact: daemon.Contact, trigger: Mapping[str, object]) -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return subprocess.Popen(
        [sys.executable, "-c", TASK, json.dumps(trigger)],
        env={**own, **contact.environment()},
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


def wait_for_more_than(spark: SparkSession, rows: int) -> int:
    deadline = time.monotonic() + 600
    while (found := sum(count for _, count in totals(spark).values())) <= rows:
        assert time.monotonic() < deadline
        time.sleep(0.5)  # each look costs the stream some time
    return found


def a_source(spark: SparkSession) -> dict[int, tuple[int, int]]:
    """Make the tables, and return what the stream should come to."""
    spark.sql("CREATE SCHEMA main.live")
    spark.sql("CREATE VOLUME main.live.checkpoints")
    spark.sql(
        "CREATE TABLE main.live.totals "
        "(key BIGINT NOT NULL, total BIGINT, rows BIGINT, CONSTRAINT pk PRIMARY KEY (key))"
    )
    spark.sql("CREATE TABLE main.live.source (key BIGINT, value BIGINT, at TIMESTAMP)")
    spark.range(ROWS).selectExpr(
        "id % 7 AS key", "id AS value", "TIMESTAMP '2013-01-01' + make_interval(0,0,0,0,id) AS at"
    ).repartition(FILES).writeTo("main.live.source").append()
    of_a_key = [[value for value in range(ROWS) if value % 7 == key] for key in range(7)]
    return {key: (sum(values), len(values)) for key, values in enumerate(of_a_key)}


def test_every_row_counts_once_through_a_killed_task_and_a_killed_engine(
    settings_of_a_new_project: Settings,
) -> None:
    """A task that takes what is there is killed; then the engine of one that goes on for ever."""
    contact = daemon.start(settings_of_a_new_project)
    with a_session(contact) as spark:
        expected = a_source(spark)
        with a_task(contact, ONCE) as task:
            done = wait_for_more_than(spark, 0)
            task.kill()
    assert done < ROWS, "it was killed at work"
    with a_task(contact, LIVE) as task:
        with a_session(contact) as spark:
            done = wait_for_more_than(spark, done)
        engine = contact.request("GET", "/api/laketop/1/engine")["pid"]
        os.kill(engine, signal.SIGKILL)
        task.kill()
    assert done < ROWS, "both were killed at work"
    with a_session(contact) as spark:
        with a_task(contact, ONCE) as task:
            assert task.wait(500) == 0
        assert totals(spark) == expected

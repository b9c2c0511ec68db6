"""The same features from streams: what is there now, or for as long as the job runs.

Each micro-batch is merged by key, so that one which is done again after an accident writes the
same rows; checkpoints lie in the volume `checkpoints`. A stream reads what is appended; a flight
that is corrected in its table is for the batch refresh, which that update triggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flights import features
from laketop.ml import FeatureEngineeringClient, exists, merge_each_batch, start_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from flights.parameters import Parameters

AVAILABLE_NOW, CONTINUOUS = "available_now", "continuous"
KEYS = ("origin", "known_at")
SECONDS = 10


def refresh(spark: SparkSession, run: Parameters) -> None:
    """Bring both feature tables up to date, once or until the task is stopped.

    Errors: ValueError for a refresh of another name, and whatever ended a stream.
    """
    if run.refresh not in {AVAILABLE_NOW, CONTINUOUS}:
        expected = ["batch", AVAILABLE_NOW, CONTINUOUS]
        raise ValueError(f"refresh is {run.refresh!r}, expected one of {expected!r}")
    spark.sql(f"CREATE VOLUME IF NOT EXISTS {run.table('checkpoints')}")
    queries = [
        _started(spark, run, "weather_features", "weather", features.weather_known),
        _started(spark, run, "delay_features", "flights", features.recent_delays),
    ]
    for query in queries:
        query.awaitTermination()
    features.check_leaks(spark.table(run.table("delay_features")))


def _started(
    spark: SparkSession,
    run: Parameters,
    name: str,
    source: str,
    made: Callable[[DataFrame], DataFrame],
) -> StreamingQuery:
    table = run.table(name)
    if not exists(spark, table):
        FeatureEngineeringClient(spark=spark).create_table(
            name=table,
            primary_keys=list(KEYS),
            timeseries_columns="known_at",
            schema=made(spark.table(run.table(source))).schema,
            description=f"made of {source}",
        )
    rows = spark.readStream.option("skipChangeCommits", "true").table(run.table(source))
    writer = (
        made(rows)
        .writeStream.outputMode("update")
        .option("checkpointLocation", f"/Volumes/{run.catalog}/{run.schema}/checkpoints/{name}")
        .queryName(f"{table} {run.run_name}")
        .foreachBatch(merge_each_batch(table, KEYS))
    )
    if run.refresh == AVAILABLE_NOW:
        return start_stream(writer.trigger(availableNow=True))
    return start_stream(writer.trigger(processingTime=f"{SECONDS} seconds"))

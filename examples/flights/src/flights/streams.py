"""The same features from streams: what is there now, or for as long as the job runs.

Checkpoints lie in the volume `checkpoints`. A stream reads what is appended; a flight that is
corrected in its table is for the batch, which that change of the table triggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flights import features
from laketop.ml import FeatureEngineeringClient, exists

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from flights.parameters import Parameters

TRIGGERS: dict[str, dict[str, Any]] = {
    "available_now": {"availableNow": True},
    "continuous": {"processingTime": "10 seconds"},
}


def run(spark: SparkSession, run: Parameters) -> tuple[str, bool]:
    """Write both tables from streams; return what was done once these have ended, and True.

    Errors: ValueError for a refresh of another name, and whatever ended a stream.
    """
    for query in start(spark, run):
        query.awaitTermination()
    return f"weather and delays from streams, {run.refresh}", True


def start(spark: SparkSession, run: Parameters) -> list[StreamingQuery]:
    """Start the streams that write `weather_features` and `delay_features`, and return them."""
    if run.refresh not in TRIGGERS:
        raise ValueError(f"refresh is {run.refresh!r}, expected one of {['batch', *TRIGGERS]!r}")
    spark.sql(f"CREATE VOLUME IF NOT EXISTS {run.table('checkpoints')}")
    return [
        _started(spark, run, "weather_features", "weather", features.weather_known),
        _started(spark, run, "delay_features", "flights", features.recent_delays),
    ]


def _started(
    spark: SparkSession,
    run: Parameters,
    name: str,
    source: str,
    made: Callable[[DataFrame], DataFrame],
) -> StreamingQuery:
    table, client = run.table(name), FeatureEngineeringClient(spark=spark)
    if not exists(spark, table):
        client.create_table(
            name=table,
            primary_keys=list(features.FEATURE_KEYS),
            timeseries_columns="known_at",
            schema=made(spark.table(run.table(source))).schema,
            description=f"made of {source}",
        )
    rows = spark.readStream.option("skipChangeCommits", "true").table(run.table(source))
    query = client.write_table(
        name=table,
        df=made(rows),
        checkpoint_location=f"/Volumes/{run.catalog}/{run.schema}/checkpoints/{name}",
        trigger=TRIGGERS[run.refresh],
    )
    return cast("StreamingQuery", query)

"""Score the flights of the months after the champion's training, in one batch."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from flights import features, registry
from flights.figures import Step
from flights.months import following, span
from flights.parameters import Parameters, read
from laketop.ml import FeatureEngineeringClient, exists

PREDICTIONS = "predictions"


def main() -> None:
    """Run the step with the parameters of the process."""
    score(SparkSession.builder.getOrCreate(), read())


def score(spark: SparkSession, run: Parameters) -> int:
    """Write the predictions of every month that the champion has not seen; return their number.

    Shapes: table `predictions`, one row a flight, cancelled ones too: KEYS, CONTEXT, INPUTS,
    prediction DOUBLE (probability of a late arrival), model_version STRING, scored_at TIMESTAMP.
    A month that is scored again replaces its old rows. The label is not in it: it comes later.
    """
    step = Step(spark, run, "score")
    client = registry.client(run)
    version = registry.existing(client, run, registry.CHAMPION)
    months = span(following(registry.trained_through(client, run, version)), run.last_month)
    table = run.table(PREDICTIONS)
    if not months:
        step.record(on=f"version {version}", figure=f"no month after its training, {table} stays")
        return 0
    scored = FeatureEngineeringClient(spark=spark).score_batch(
        model_uri=f"models:/{run.model}/{version}",
        df=features.departures(spark, run, months).drop(features.LABEL),
    )
    scored = scored.withColumns(
        {"model_version": F.lit(version), "scored_at": F.current_timestamp()}
    )
    if run.starts_over or not exists(spark, table):
        scored.writeTo(table).using("delta").createOrReplace()
    else:
        scored.writeTo(table).overwrite(F.col("month").isin(*months))
    rows = (
        spark.table(table)
        .where(F.col("month").isin(*months))
        .agg(F.count("*").alias("count"), F.avg("prediction").alias("mean"))
        .collect()[0]
    )
    step.record(
        on=f"{months[0]}..{months[-1]} by version {version}",
        figure=f"{rows['count']:,} flights, mean probability {rows['mean']:.3f}",
    )
    return int(rows["count"])


if __name__ == "__main__":
    main()

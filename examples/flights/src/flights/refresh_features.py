"""Bring the feature tables up to date with the raw ones."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession

from flights import features
from flights.figures import Step
from flights.parameters import Parameters, read
from laketop.ml import (
    FeatureEngineeringClient,
    current_version,
    exists,
    properties,
    set_properties,
)

MADE_OF = "flights.made_of"


def main() -> None:
    """Run the step with the parameters of the process."""
    refresh(SparkSession.builder.getOrCreate(), read())


def refresh(spark: SparkSession, run: Parameters) -> None:
    """Create or merge `weather_features` and `delay_features`, unless nothing has changed.

    Errors: Leak when a delay was not known at its time.
    """
    step = Step(spark, run, "refresh features")
    weather = _bring_up_to_date(
        spark, run, "weather_features", "weather", lambda: features.weather_features(spark, run)
    )
    delays = _bring_up_to_date(
        spark, run, "delay_features", "flights", lambda: features.delay_features(spark, run)
    )
    features.check_leaks(spark.table(run.table("delay_features")))
    step.record(
        on="weather_features, delay_features",
        figure=f"weather {weather}, delays {delays}, no row knows the future",
    )


def _bring_up_to_date(
    spark: SparkSession, run: Parameters, name: str, source: str, rows: Callable[[], DataFrame]
) -> str:
    table = run.table(name)
    made_of = f"{run.table(source)}@v{current_version(spark, run.table(source))}"
    client = FeatureEngineeringClient(spark=spark)
    if not exists(spark, table):
        client.create_table(
            name=table,
            primary_keys=["origin", "known_at"],
            timeseries_columns="known_at",
            df=rows(),
            description=f"made of {source}",
        )
        done = "created"
    elif properties(spark, table).get(MADE_OF) == made_of:
        return "up to date"
    else:
        client.write_table(name=table, df=rows())
        done = "merged"
    set_properties(spark, table, {MADE_OF: made_of})
    return f"{done} from version {made_of.rpartition('@v')[2]} of {source}"


if __name__ == "__main__":
    main()

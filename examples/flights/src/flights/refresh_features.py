"""Bring the feature tables up to date with the raw ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

from flights import features, streams
from flights.config import section
from flights.figures import Step
from flights.parameters import Parameters, read
from laketop.ml import (
    Checked,
    Expectation,
    FeatureEngineeringClient,
    check,
    complete,
    current_version,
    exists,
    fresh,
    mirror,
    not_future,
    properties,
    set_properties,
    within,
)

MADE_OF = "flights.made_of"
UP_TO_DATE = "up to date"


def main() -> None:
    """Run the step with the parameters of the process."""
    refresh(SparkSession.builder.getOrCreate(), read())


def refresh(spark: SparkSession, run: Parameters) -> None:
    """Bring `weather_features` and `delay_features` up to date, by a batch or from streams.

    Rows that are not what is expected land in `failing_rows`.
    Errors: Leak when a delay was not known at its time, ExpectationFailed when one is of the
    future, also in each refresh after that as long as it is there; ValueError for a refresh of
    another name.
    """
    step = Step(spark, run, "refresh features")
    done, changed = batch(spark, run) if run.refresh == "batch" else streams.run(spark, run)
    features.check_leaks(spark.table(run.table("delay_features")))
    failing = unexpected(spark, run, changed=changed)
    step.record(
        on="weather_features, delay_features",
        figure=f"{done}, no row knows the future{failing}",
    )


def batch(spark: SparkSession, run: Parameters) -> tuple[str, bool]:
    """Create or merge both tables, unless nothing has changed; return what was done, and whether.

    What late and corrected flights have changed is written anew, and a moment in whose window no
    departure is left loses its row: both tables are what a backfill would write.
    """
    weather = _bring_up_to_date(
        spark, run, "weather_features", "weather", lambda: features.weather_features(spark, run)
    )
    delays = _bring_up_to_date(
        spark, run, "delay_features", "flights", lambda: features.delay_features(spark, run)
    )
    return f"weather {weather}, delays {delays}", {weather, delays} != {UP_TO_DATE}


def unexpected(spark: SparkSession, run: Parameters, *, changed: bool = True) -> str:
    """Return what is told of rows that are not as expected, which land in `failing_rows`.

    Tables that have not changed are asked only for what would stop the refresh.
    Errors: ExpectationFailed for a row of the future.
    """
    expected = section("expectations")
    newest = spark.table(run.table("flights")).agg({"time_hour": "max"}).collect()[0][0]
    recent = fresh(
        "known_at",
        within=timedelta(hours=expected["fresh_hours"]),
        now=newest.replace(tzinfo=UTC),
    )
    asked = {
        "weather_features": [
            within("temp", *expected["temp"]),
            complete("temp", at_least=expected["complete"]),
            not_future("known_at", now=datetime.now(UTC), action="fail"),
            recent,
        ],
        "delay_features": [
            within("recent_delay", *expected["recent_delay"]),
            # The last points of the grid lie ahead of the last departure, and are known then.
            not_future("last_departure_at", now=datetime.now(UTC), action="fail"),
            recent,
        ],
    }
    failed = [
        f"{name}: {result.expectation.name} ({result.failed} fail, such as {result.row})"
        for name, expectations in asked.items()
        for result in _checked(
            spark, run, name, [x for x in expectations if changed or x.action == "fail"]
        )
        if not result.passed
    ]
    return "".join(f"; not as expected: {text}" for text in failed)


def _checked(
    spark: SparkSession, run: Parameters, name: str, expectations: list[Expectation]
) -> tuple[Checked, ...]:
    _, results = check(
        spark.table(run.table(name)),
        expectations,
        table=run.table(name),
        failing_rows=run.table("failing_rows"),
        run=run.run_name,
    )
    return results


def _bring_up_to_date(
    spark: SparkSession, run: Parameters, name: str, source: str, rows: Callable[[], DataFrame]
) -> str:
    table = run.table(name)
    made_of = f"{run.table(source)}@v{current_version(spark, run.table(source))}"
    if not exists(spark, table):
        FeatureEngineeringClient(spark=spark).create_table(
            name=table,
            primary_keys=list(features.FEATURE_KEYS),
            timeseries_columns="known_at",
            df=rows(),
            description=f"made of {source}",
        )
        done = "created"
    elif properties(spark, table).get(MADE_OF) == made_of:
        return UP_TO_DATE
    else:
        mirror(spark, table, rows(), features.FEATURE_KEYS)
        done = "merged"
    set_properties(spark, table, {MADE_OF: made_of})
    return f"{done} from version {made_of.rpartition('@v')[2]} of {source}"


if __name__ == "__main__":
    main()

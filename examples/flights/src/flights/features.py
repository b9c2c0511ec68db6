"""What a prediction may know: everything as it was known two hours before departure.

Two feature tables, each with the moment from which its rows are known:

`weather_features`, key (origin, known_at): the weather of an hour, known when the hour is over.
`delay_features`, key (origin, known_at): on a grid of 15 minutes, the mean departure delay of the
flights that had *actually departed* in the four hours before. Grouping by scheduled hour instead
would use the delays of flights still on the ground: a gain that no live system has.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flights.config import section
from laketop.ml import FeatureEngineeringClient, FeatureLookup, leaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from flights.parameters import Parameters
    from laketop.ml import TrainingSet

LABEL = "late"
KEYS = ("time_hour", "carrier", "flight", "origin")
FEATURE_KEYS = ("origin", "known_at")
SCHEDULE = ("carrier", "origin", "dest", "distance", "minute_of_day", "weekday")
WEATHER = (
    *("temp", "dewp", "humid", "wind_dir", "wind_speed"),
    *("wind_gust", "precip", "pressure", "visib"),
)
DELAY = ("recent_delay",)
TEXTS = ("carrier", "origin", "dest")
INPUTS = (*SCHEDULE, *WEATHER, *DELAY)
CONTEXT = ("time_hour", "flight", "month", "scheduled_local", "known_at")
"""Columns that say which flight a row is, and when it is asked about; no inputs of the model."""
DEPARTED_AT = "time_hour + make_interval(0, 0, 0, 0, 0, CAST(minute + dep_delay AS INT))"
"""SQL over the table `flights`: when a flight left, which is when its delay was known."""


class Leak(ValueError):
    """A feature holds something that was not known at its own time."""


def departures(
    spark: SparkSession, run: Parameters, months: Sequence[str], *, version: int | None = None
) -> DataFrame:
    """Return the scheduled departures of `months` with what the schedule says of them.

    The table `flights` is read at the Delta `version`, by default the newest.

    Shapes: one row a flight; KEYS, CONTEXT and SCHEDULE, numbers as DOUBLE; `known_at` is the
    moment of prediction; `late` DOUBLE is NULL for flights that never arrived as planned.
    Units: `minute_of_day` in minutes of local time, `weekday` 0 = Monday, `distance` in miles.
    """
    ahead, late = section("features")["hours_ahead"], section("label")["late_minutes"]
    wanted = ", ".join(f"'{month}'" for month in months)
    flights = run.table("flights") + ("" if version is None else f" VERSION AS OF {version}")
    return spark.sql(f"""
        SELECT time_hour, flight, month, make_timestamp(year, month_of_year, day, hour, 0, 0)
                 AS scheduled_local,
               time_hour + make_interval(0, 0, 0, 0, 0, minute) - INTERVAL {ahead} HOUR
                 AS known_at,
               carrier, origin, dest, CAST(distance AS DOUBLE) AS distance,
               CAST(60 * hour + minute AS DOUBLE) AS minute_of_day,
               CAST(weekday(make_date(year, month_of_year, day)) AS DOUBLE) AS weekday,
               CAST(arr_delay > {late} AS DOUBLE) AS {LABEL}
        FROM (
          SELECT * EXCEPT (year, month, day, hour, minute),
                 CAST(year AS INT) AS year, CAST(month AS INT) AS month_of_year,
                 CAST(day AS INT) AS day, CAST(hour AS INT) AS hour,
                 CAST(minute AS INT) AS minute,
                 format_string('%04d-%02d', year, month) AS month
          FROM {flights}
        )
        WHERE month IN ({wanted})
    """)


def labelled(
    spark: SparkSession,
    run: Parameters,
    months: Sequence[str],
    *,
    kept: Sequence[str] = (),
    version: int | None = None,
) -> TrainingSet:
    """Return the departures of `months` whose label is known, with their features.

    Of CONTEXT the training set has the columns `kept` alone; its `whole` has all of them.
    The table `flights` is read at the Delta `version`, by default the newest.
    """
    known = departures(spark, run, months, version=version).where(f"{LABEL} IS NOT NULL")
    return FeatureEngineeringClient(spark=spark).create_training_set(
        df=known,
        feature_lookups=lookups(run),
        label=LABEL,
        exclude_columns=[name for name in CONTEXT if name not in kept],
    )


def weather_features(spark: SparkSession, run: Parameters) -> DataFrame:
    """Return the rows of `weather_features`, made from the table `weather`."""
    return weather_known(spark.table(run.table("weather")))


def delay_features(spark: SparkSession, run: Parameters) -> DataFrame:
    """Return the rows of `delay_features`, made from the departures in the table `flights`."""
    return recent_delays(spark.table(run.table("flights")))


def weather_known(weather: DataFrame) -> DataFrame:
    """Return hours of weather, each with the moment from which it is known; a stream or not."""
    known = section("features")["weather_known_minutes"]
    return weather.selectExpr(
        "origin", f"time_hour + INTERVAL {known} MINUTE AS known_at", *WEATHER
    )


def recent_delays(flights: DataFrame) -> DataFrame:
    """Return the mean delay of the departures in the window before each point of the grid.

    The same for a table and for a stream, which forgets what is older than its watermark.
    Shapes: one row for each origin and grid point with a departure in the window before it;
    `last_departure_at` is the newest departure that went into the row.
    """
    from pyspark.sql import functions as F

    settings = section("features")
    departed = flights.where("dep_delay IS NOT NULL").selectExpr(
        "origin", "dep_delay", f"{DEPARTED_AT} AS departed_at"
    )
    # A window of Spark holds its start and not its end; here it is the other way round, since who
    # departs at the very moment is known. Spark's times are whole microseconds.
    just_before = F.expr("departed_at - INTERVAL '0.000001' SECOND")
    window = F.window(
        "just_before", f"{settings['window_hours']} hours", f"{settings['grid_minutes']} minutes"
    )
    return (
        departed.withColumn("just_before", just_before)
        .withWatermark("just_before", f"{settings['watermark_hours']} hours")
        .groupBy("origin", window.alias("window"))
        .agg(
            F.expr("sum(dep_delay) / count(*)").alias("recent_delay"),
            F.max("departed_at").alias("last_departure_at"),
        )
        .selectExpr("origin", "window.end AS known_at", "recent_delay", "last_departure_at")
    )


def check_leaks(features: DataFrame) -> None:
    """Raise Leak if any row holds a departure later than the row's own `known_at`.

    Shapes: the columns of `delay_features`.
    """
    found = features.where("last_departure_at > known_at").orderBy("known_at").first()
    if found is not None:
        raise Leak(
            f"the delays known at {found['known_at']} at {found['origin']!r} include a flight "
            f"that departed at {found['last_departure_at']}"
        )


def replayed(spark: SparkSession, run: Parameters, month: str) -> tuple[leaks.Evidence, ...]:
    """Return what is found when the delays of `month` are made without its second half.

    Shapes: one piece of evidence a feature of `delay_features`.
    """
    year, number = map(int, month.split("-"))
    return leaks.replay(
        recent_delays,
        spark.table(run.table("flights")).where(f"year = {year} AND month = {number}"),
        known=DEPARTED_AT,
        keys=["origin"],
        time="known_at",
        cutoffs=[datetime(year, number, 15, 21, tzinfo=UTC)],
        hidden=["dep_delay"],
        table=run.table("delay_features"),
    )


def lookups(run: Parameters) -> list[FeatureLookup]:
    """Return which features are looked up for a departure, each as of its `known_at`."""
    grid = section("features")["grid_minutes"]
    return [
        FeatureLookup(
            run.table("weather_features"),
            "origin",
            feature_names=WEATHER,
            timestamp_lookup_key="known_at",
            lookback_window=timedelta(hours=2),
        ),
        FeatureLookup(
            run.table("delay_features"),
            "origin",
            feature_names=DELAY,
            timestamp_lookup_key="known_at",
            lookback_window=timedelta(minutes=grid - 1),
        ),
    ]

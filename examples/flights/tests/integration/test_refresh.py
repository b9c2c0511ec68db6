"""The refresh three ways writes the same rows, and writes in time what a backfill writes later."""

# ruff: noqa: S608  the names are the test's own
from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flights import features, streams
from flights.correct import correct
from flights.parameters import Parameters
from flights.refresh_features import refresh
from laketop.ml import ExpectationFailed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BEGIN = pd.Timestamp("2013-02-01 05:00", tz="UTC")
COLUMNS = ["origin", "time_hour", "minute", "dep_delay"]
TOLD = "origin string, time_hour timestamp, minute bigint, dep_delay double"
SEEN = ("origin", "known_at", "recent_delay", "last_departure_at")


def drawn(seed: int, cases: int) -> pd.DataFrame:
    """Return random departures of `cases` airports: nulls, ties, delays of days, odd minutes."""
    random = np.random.default_rng(seed)
    parts = []
    for case in range(cases):
        size = random.integers(1, 25)
        delay = random.choice([-5, 0, 1, 15, 60, 240, 1500], size) + random.integers(-1, 2, size)
        hours = pd.to_timedelta(random.integers(0, 12, size), "h")
        parts.append(
            pd.DataFrame(
                {
                    "origin": f"A{case:03d}",
                    "time_hour": BEGIN + hours,
                    "minute": random.choice([0, 14, 15, 16, 59], size),
                    "dep_delay": np.where(random.random(size) < 0.15, np.nan, delay),
                    "carrier": "UA",
                    "flight": range(size),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def departed(flights: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    minutes = flights["minute"] + flights["dep_delay"].fillna(0)
    return flights["time_hour"] + pd.to_timedelta(minutes, "min")


def seen(rows: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in rows.select(*SEEN).collect())


DEPARTURES = st.lists(
    st.fixed_dictionaries(
        {
            "time_hour": st.integers(0, 12).map(lambda hours: BEGIN + timedelta(hours=hours)),
            "minute": st.sampled_from([0, 14, 15, 16, 59]),
            "dep_delay": st.one_of(
                st.none(), st.sampled_from([-5, 0, 1, 15, 60, 240, 1500]), st.integers(-20, 300)
            ),
        }
    ),
    min_size=1,
    max_size=20,
)
MOMENTS = st.lists(st.integers(-4, 40 * 60), min_size=2, max_size=5, unique=True).map(sorted)


@settings(phases=[Phase.generate])
@given(airports=st.lists(DEPARTURES, min_size=5, max_size=40), minutes=MOMENTS)
def test_a_backfill_equals_what_live_running_would_have_written(
    spark: SparkSession, airports: list[list[dict[str, object]]], minutes: list[int]
) -> None:
    """Live, at each moment, only who has departed is known, and no row is written twice."""
    told = [{"origin": f"A{n}", **row} for n, rows in enumerate(airports) for row in rows]
    flights = pd.DataFrame(told, columns=COLUMNS).astype({"dep_delay": float})
    moments = [BEGIN + timedelta(minutes=minute) for minute in minutes]
    live = []
    for last, now in pairwise(moments):
        known = flights[departed(flights) <= now]
        rows = features.recent_delays(spark.createDataFrame(known, schema=TOLD))
        live.append(rows.where(f"known_at > '{last}' AND known_at <= '{now}'"))
    history = features.recent_delays(spark.createDataFrame(flights, schema=TOLD)).where(
        f"known_at > '{moments[0]}' AND known_at <= '{moments[-1]}'"
    )
    written = reduce(lambda one, other: one.unionByName(other), live)
    both = written.selectExpr("'live' AS by", *SEEN).union(history.selectExpr("'later'", *SEEN))
    found = [tuple(row) for row in both.collect()]
    by = {name: sorted(row[1:] for row in found if row[0] == name) for name in ("live", "later")}
    assert by["live"] == by["later"]


def test_the_mean_is_that_of_who_departed_in_the_four_hours_up_to_the_moment(
    spark: SparkSession,
) -> None:
    flights = drawn(2, 20)
    flights = flights[flights["dep_delay"].notna()]
    at = departed(flights)
    for row in features.recent_delays(spark.createDataFrame(flights)).collect()[::7]:
        moment = pd.Timestamp(row["known_at"], tz="UTC")
        near = (at > moment - timedelta(hours=4)) & (at <= moment)
        mean = flights[near & (flights["origin"] == row["origin"])]["dep_delay"].mean()
        assert row["recent_delay"] == pytest.approx(mean)


@pytest.fixture
def run(spark: SparkSession, schema: str) -> Parameters:
    catalog, _, name = schema.partition(".")
    found = Parameters(catalog=catalog, schema=name, run="1")
    weather = pd.DataFrame({name: [1.0, 2.0] for name in features.WEATHER}).assign(
        origin="A000", time_hour=[BEGIN, BEGIN + timedelta(hours=1)]
    )
    spark.createDataFrame(weather).writeTo(found.table("weather")).using("delta").create()
    first = drawn(3, 4)
    spark.createDataFrame(first).writeTo(found.table("flights")).using("delta").create()
    return found


def delays(spark: SparkSession, run: Parameters) -> list[tuple[object, ...]]:
    return seen(spark.table(run.table("delay_features")))


def test_streams_write_what_the_batch_writes_and_go_on_where_they_were(
    spark: SparkSession, run: Parameters
) -> None:
    once, live = (replace(run, refresh=refresh) for refresh in ("available_now", "continuous"))
    refresh(spark, once)
    assert delays(spark, run) == seen(features.delay_features(spark, run))
    assert spark.table(run.table("weather_features")).count() == 2
    # More flights of the same airports at the same time, whose windows are there already.
    spark.createDataFrame(drawn(4, 5)).writeTo(run.table("flights")).append()
    queries = streams.start(spark, live)
    try:
        expected = seen(features.delay_features(spark, run))
        deadline = time.monotonic() + 300
        while delays(spark, run) != expected:
            assert time.monotonic() < deadline, [query.exception() for query in queries]
            time.sleep(0.5)
        assert all(query.isActive for query in queries)
    finally:
        for query in queries:
            query.stop()


def test_a_refresh_of_another_name_is_an_error(spark: SparkSession, run: Parameters) -> None:
    with pytest.raises(ValueError, match="refresh is 'sometimes'"):
        refresh(spark, replace(run, refresh="sometimes"))


def test_late_and_corrected_flights_lead_to_what_a_backfill_would_write(
    spark: SparkSession, run: Parameters
) -> None:
    refresh(spark, run)
    before = {row[:2] for row in delays(spark, run)}
    spark.createDataFrame(drawn(5, 5)).writeTo(run.table("flights")).append()
    # They left a day later than it was told: points of the grid are left without a departure.
    spark.sql(
        f"UPDATE {run.table('flights')} SET dep_delay = dep_delay + 1440 WHERE origin = 'A001'"
    )
    refresh(spark, run)
    backfilled = seen(features.delay_features(spark, run))
    assert before - {row[:2] for row in backfilled}
    assert delays(spark, run) == backfilled


def test_weather_out_of_range_is_told_with_a_row_and_that_of_the_future_stops_each_refresh(
    spark: SparkSession, run: Parameters
) -> None:
    weather = run.table("weather")
    spark.sql(f"UPDATE {weather} SET temp = 999 WHERE time_hour = '{BEGIN}'")
    refresh(spark, run)
    told = [row["figure"] for row in spark.table(run.table("run_figures")).collect()]
    assert "temp is between -40.0 and 130.0 (1 fail, such as {" in told[0]
    assert '"temp":999' in told[0]
    spark.sql(f"UPDATE {weather} SET time_hour = '2113-02-01' WHERE time_hour != '{BEGIN}'")
    for _ in range(2):  # the second finds nothing new, and the row where it was
        with pytest.raises(ExpectationFailed, match=r"not in the future.*1 of 2 .*2113-02-01"):
            refresh(spark, run)
    found = spark.table(run.table("failing_rows")).where(
        f"table = '{run.table('weather_features')}'"
    )
    assert sorted({row["expectation"] for row in found.collect()}) == [
        "known_at is not in the future",
        "temp is between -40.0 and 130.0",
    ]


def test_files_of_corrections_are_merged_once(spark: SparkSession, run: Parameters) -> None:
    flights = spark.table(run.table("flights"))
    before = flights.count()
    late = drawn(6, 1).head(2).assign(flight=[901, 902])
    changed = flights.where("origin = 'A001'").limit(1).toPandas().assign(dep_delay=77.0)
    changed["time_hour"] = changed["time_hour"].dt.tz_localize("UTC")
    arrived = spark.createDataFrame(pd.concat([late, changed], ignore_index=True))
    assert correct(spark, run, arrived) == 3
    assert correct(spark, run, arrived) == 0
    assert spark.table(run.table("flights")).count() == before + 2
    assert spark.table(run.table("flights")).where("dep_delay = 77.0").count() == 1

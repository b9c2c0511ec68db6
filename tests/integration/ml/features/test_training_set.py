"""Feature tables and point-in-time training sets on the real engine, against pandas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from laketop.ml import (
    FeatureEngineeringClient,
    FeatureLookup,
    NotFound,
    Refused,
    at_version,
    current_version,
)

NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def weather(spark: SparkSession) -> DataFrame:
    rows = [
        ("EWR", NOON - 5 * HOUR, 1.0),
        ("EWR", NOON - HOUR, None),
        ("EWR", NOON, 2.0),
        ("JFK", NOON, 9.0),
    ]
    return spark.createDataFrame(rows, "origin string, ts timestamp, temp double")


@pytest.fixture
def table(client: FeatureEngineeringClient, spark: SparkSession, schema: str) -> str:
    name = f"{schema}.weather"
    client.create_table(
        name=name, primary_keys=["origin", "ts"], timeseries_columns="ts", df=weather(spark)
    )
    return name


def looked_up(
    client: FeatureEngineeringClient, lookup: FeatureLookup, rows: list[tuple[object, ...]]
) -> dict[int, object]:
    df = client.spark.createDataFrame(rows, "id int, origin string, at timestamp, late double")
    joined = client.create_training_set(df=df, feature_lookups=[lookup], label="late").load_df()
    found = joined.collect()
    assert len(found) == len(rows)
    return {row["id"]: row["temp"] for row in found}


def test_the_latest_row_at_or_before_the_moment_counts(
    client: FeatureEngineeringClient, table: str
) -> None:
    lookup = FeatureLookup(table, "origin", timestamp_lookup_key="at")
    rows: list[tuple[object, ...]] = [
        (1, "EWR", NOON, 0.0),
        (2, "EWR", NOON - timedelta(microseconds=1), 0.0),
        (3, "EWR", NOON - 2 * HOUR, 0.0),
        (4, "EWR", NOON - 6 * HOUR, 0.0),
        (5, "LGA", NOON, 0.0),
        (6, None, NOON, 0.0),
        (7, "EWR", None, 0.0),
        (8, "JFK", NOON + 9999 * HOUR, 0.0),
    ]
    expected = {1: 2.0, 2: None, 3: 1.0, 4: None, 5: None, 6: None, 7: None, 8: 9.0}
    assert looked_up(client, lookup, rows) == expected


def test_both_ends_of_the_lookback_window_count(
    client: FeatureEngineeringClient, table: str
) -> None:
    lookup = FeatureLookup(table, "origin", timestamp_lookup_key="at", lookback_window=2 * HOUR)
    rows: list[tuple[object, ...]] = [
        (1, "JFK", NOON + 2 * HOUR, 0.0),
        (2, "JFK", NOON + 2 * HOUR + timedelta(microseconds=1), 0.0),
    ]
    assert looked_up(client, lookup, rows) == {1: 9.0, 2: None}


def test_many_rows_agree_with_pandas(
    client: FeatureEngineeringClient, spark: SparkSession, schema: str
) -> None:
    drawn = np.random.default_rng(11)
    start = pd.Timestamp("2013-01-01", tz="UTC")
    known = pd.DataFrame(
        {
            "k": drawn.choice(["a", "b", "c"], 900),
            "ts": start + pd.to_timedelta(drawn.integers(0, 40_000, 900), "min"),
            "x": drawn.normal(size=900),
        }
    ).drop_duplicates(["k", "ts"])
    asked = pd.DataFrame(
        {
            "k": drawn.choice(["a", "b", "c", "d"], 700),
            "at": start + pd.to_timedelta(drawn.integers(0, 40_000, 700), "min"),
            "y": drawn.integers(0, 2, 700).astype(float),
        }
    ).reset_index(names="id")
    name = f"{schema}.known"
    client.create_table(
        name=name,
        primary_keys=["k", "ts"],
        timeseries_columns="ts",
        df=spark.createDataFrame(known),
    )
    lookup = FeatureLookup(
        name, "k", timestamp_lookup_key="at", lookback_window=timedelta(minutes=300)
    )
    joined = client.create_training_set(
        df=spark.createDataFrame(asked), feature_lookups=[lookup], label="y"
    ).load_df()
    expected = pd.merge_asof(
        asked.sort_values("at"),
        known.sort_values("ts"),
        left_on="at",
        right_on="ts",
        by="k",
        tolerance=pd.Timedelta("300min"),
    ).sort_values("id")
    found = joined.toPandas().sort_values("id")
    np.testing.assert_allclose(found["x"].to_numpy(), expected["x"].to_numpy())


def test_a_static_table_gives_names_defaults_and_no_doubles(
    client: FeatureEngineeringClient, spark: SparkSession, schema: str
) -> None:
    name = f"{schema}.planes"
    planes = spark.createDataFrame([("N1", 2), ("N2", 4)], "tail string, engines int")
    client.create_table(name=name, primary_keys="tail", df=planes)
    asked = spark.createDataFrame(
        [("N1", 0.0), ("N1", 1.0), ("N3", 0.0), (None, 0.0)], "tailnum string, late double"
    )
    lookup = FeatureLookup(
        name, "tailnum", rename_outputs={"engines": "n"}, default_values={"engines": 0}
    )
    training_set = client.create_training_set(
        df=asked, feature_lookups=[lookup], label="late", exclude_columns="tailnum"
    )
    found = training_set.load_df()
    assert found.columns == ["late", "n"]
    assert sorted(row["n"] for row in found.collect()) == [0, 0, 2, 2]
    assert found.schema["n"].dataType.simpleString() == "int"
    assert training_set.spec.tables == {name: current_version(spark, name)}


def test_a_training_set_keeps_to_the_version_that_it_recorded(
    client: FeatureEngineeringClient, table: str, spark: SparkSession
) -> None:
    asked = spark.createDataFrame([("JFK", NOON, 0.0)], "origin string, at timestamp, y double")
    training_set = client.create_training_set(
        df=asked,
        feature_lookups=[FeatureLookup(table, "origin", timestamp_lookup_key="at")],
        label="y",
    )
    client.write_table(name=table, df=weather(spark).where("origin = 'JFK'").replace(9.0, 8.0))
    assert training_set.load_df().collect()[0]["temp"] == 9.0
    assert client.look_up(training_set.spec, asked.drop("y")).collect()[0]["temp"] == 8.0


def test_writing_merges_by_key(
    client: FeatureEngineeringClient, table: str, spark: SparkSession
) -> None:
    rows = [("EWR", NOON, 5.0), ("LGA", NOON, 6.0)]
    client.write_table(
        name=table, df=spark.createDataFrame(rows, "origin string, ts timestamp, temp double")
    )
    found = {(row["origin"], row["temp"]) for row in client.read_table(name=table).collect()}
    assert found == {("EWR", 1.0), ("EWR", None), ("EWR", 5.0), ("LGA", 6.0), ("JFK", 9.0)}
    assert at_version(spark, table, 1).count() == 4


def test_a_key_that_comes_twice_is_an_error_and_writes_nothing(
    client: FeatureEngineeringClient, table: str, spark: SparkSession
) -> None:
    before = current_version(spark, table)
    with pytest.raises(ValueError, match="more than once"):
        client.write_table(name=table, df=weather(spark).union(weather(spark)))
    assert current_version(spark, table) == before


def test_a_given_feature_is_not_looked_up(
    client: FeatureEngineeringClient, table: str, spark: SparkSession
) -> None:
    asked = spark.createDataFrame([("JFK", NOON, 0.0)], "origin string, at timestamp, y double")
    spec = client.create_training_set(
        df=asked,
        feature_lookups=[FeatureLookup(table, "origin", timestamp_lookup_key="at")],
        label="y",
    ).spec
    own = asked.drop("y").selectExpr("*", "-1D AS temp")
    assert client.look_up(spec, own).collect()[0]["temp"] == -1
    with pytest.raises(ValueError, match=r"lack the columns \['at'\]"):
        client.look_up(spec, asked.drop("y", "at"))


def test_what_does_not_fit_is_told(
    client: FeatureEngineeringClient, table: str, spark: SparkSession, schema: str
) -> None:
    asked = spark.createDataFrame(
        [("JFK", NOON, NOON.date(), 0.0, 7)],
        "origin string, at timestamp, day date, temp double, number int",
    )
    renamed = {"temp": "warmth"}

    def ask(lookup: object) -> None:
        client.create_training_set(
            df=asked,
            feature_lookups=[lookup],  # type: ignore[list-item]  # on purpose
            label=None,
        )

    with pytest.raises(ValueError, match="rename_outputs"):
        ask(FeatureLookup(table, "origin", timestamp_lookup_key="at"))
    with pytest.raises(ValueError, match="needs timestamp_lookup_key"):
        ask(FeatureLookup(table, "origin"))
    with pytest.raises(ValueError, match=r"'day' is date, but 'ts' of .* is timestamp"):
        ask(FeatureLookup(table, "origin", timestamp_lookup_key="day", rename_outputs=renamed))
    with pytest.raises(ValueError, match=r"'number' is int, but 'origin' of .* is string"):
        ask(FeatureLookup(table, "number", timestamp_lookup_key="at", rename_outputs=renamed))
    with pytest.raises(ValueError, match=r"the columns \['nowhere'\]"):
        ask(FeatureLookup(table, "nowhere", timestamp_lookup_key="at", rename_outputs=renamed))
    with pytest.raises(ValueError, match="does not match the primary key"):
        ask(FeatureLookup(table, ["origin", "day"], timestamp_lookup_key="at"))
    with pytest.raises(NotFound, match="'humidity'"):
        ask(FeatureLookup(table, "origin", feature_names="humidity", timestamp_lookup_key="at"))
    with pytest.raises(NotFound, match="no table named"):
        ask(FeatureLookup(f"{schema}.nothing", "origin"))
    with pytest.raises(Refused, match="int is not supported"):
        ask(1)
    spark.sql(f"CREATE TABLE {schema}.plain (a INT)")
    with pytest.raises(NotFound, match="no feature table named"):
        client.read_table(name=f"{schema}.plain")


def test_dropping_it_leaves_nothing(client: FeatureEngineeringClient, table: str) -> None:
    client.drop_table(name=table)
    with pytest.raises(NotFound):
        client.get_table(name=table)


def test_a_stream_is_no_frame_for_a_training_set(
    client: FeatureEngineeringClient, table: str, spark: SparkSession
) -> None:
    stream = spark.readStream.table(table).selectExpr("*", "ts AS at", "0D AS late")
    lookup = FeatureLookup(table, "origin", timestamp_lookup_key="at")
    with pytest.raises(Refused, match="streaming DataFrame is not supported"):
        client.create_training_set(df=stream, feature_lookups=[lookup], label="late")

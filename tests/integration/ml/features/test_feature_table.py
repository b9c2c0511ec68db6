"""Feature tables: how they are made, told, tagged, written in batches and as streams."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from laketop.ml import (
    FeatureEngineeringClient,
    FeatureLookup,
    FeatureTable,
    NotFound,
    Refused,
    current_version,
    exists,
)

NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)
COLUMNS = "origin string, ts timestamp, temp double"


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("EWR", NOON, 1.0), ("JFK", NOON, 2.0)], COLUMNS)


def test_a_table_is_told_as_it_was_made(
    client: FeatureEngineeringClient, rows: DataFrame, schema: str
) -> None:
    name = f"{schema}.weather"
    made = client.create_table(
        name=name,
        primary_keys=["origin"],
        timestamp_keys=["ts"],
        schema=rows.schema,
        description="It's hourly.",
        tags={"team": "ops", "pii": ""},
    )
    assert client.get_table(name=name) == made
    assert made == FeatureTable(
        name=name,
        primary_keys=("origin",),
        timeseries_column="ts",
        description="It's hourly.",
        features=("temp",),
        tags={"team": "ops", "pii": ""},
    )
    assert client.read_table(name=name).count() == 0
    client.set_feature_table_tag(name=name, key="team", value="flights")
    client.delete_feature_table_tag(name=name, key="pii")
    assert client.get_table(name=name).tags == {"team": "flights"}
    older = client.create_table(
        name=f"{schema}.older", primary_keys="origin", timeseries_column="ts", schema=rows.schema
    )
    assert older.timeseries_column == "ts"
    with pytest.raises(NotFound, match="'pii'"):
        client.delete_feature_table_tag(name=name, key="pii")


def test_partitions_are_for_tables_without_time(
    client: FeatureEngineeringClient, rows: DataFrame, schema: str
) -> None:
    name = f"{schema}.latest"
    client.create_table(name=name, primary_keys="origin", df=rows, partition_columns="temp")
    assert client.get_table(name=name).partition_columns == ("temp",)
    with pytest.raises(ValueError, match="takes no partition_columns"):
        client.create_table(
            name=f"{schema}.series",
            primary_keys="origin",
            timeseries_columns="ts",
            df=rows,
            partition_columns="temp",
        )


def test_a_table_with_a_primary_key_made_in_sql_is_a_feature_table(
    client: FeatureEngineeringClient, spark: SparkSession, schema: str
) -> None:
    name = f"{schema}.planes"
    spark.sql(
        f"CREATE TABLE {name} (tail STRING NOT NULL, engines INT, CONSTRAINT pk PRIMARY KEY (tail))"
    )
    assert client.get_table(name=name).primary_keys == ("tail",)
    client.write_table(name=name, df=spark.createDataFrame([("N1", 2)], "tail string, engines int"))
    asked = spark.createDataFrame([("N1",)], "tail string")
    found = client.create_training_set(
        df=asked, feature_lookups=[FeatureLookup(name, "tail")], label=None
    )
    assert [tuple(row) for row in found.load_df().collect()] == [("N1", 2)]


def test_what_cannot_be_made_leaves_nothing(
    client: FeatureEngineeringClient, rows: DataFrame, spark: SparkSession, schema: str
) -> None:
    name = f"{schema}.weather"
    for keys, times, df, told in (
        ("city", None, rows, r"lacks the columns \['city'\]"),
        ([], None, rows, "no primary_keys"),
        ("origin", ["ts", "temp"], rows, "more than one time"),
        ("origin", "temp", rows, "'temp' of .* is double, neither a timestamp nor a date"),
        ("origin", None, rows.union(rows), "'EWR'.* more than once"),
        (
            ["origin", "ts"],
            "ts",
            rows.selectExpr("origin", "null::timestamp ts"),
            "NULL in the key",
        ),
        ("origin", None, None, "needs df or schema"),
    ):
        with pytest.raises(ValueError, match=told):
            client.create_table(name=name, primary_keys=keys, timeseries_columns=times, df=df)
        assert not exists(spark, name)
    with pytest.raises(Refused, match=r"create_table\(path="):
        client.create_table(name=name, primary_keys="origin", df=rows, path="/tmp")
    client.create_table(name=name, primary_keys="origin", df=rows)
    with pytest.raises(ValueError, match="is there already"):
        client.create_table(name=name, primary_keys="origin", df=rows)


def test_rows_that_do_not_fit_write_nothing(
    client: FeatureEngineeringClient, rows: DataFrame, spark: SparkSession, schema: str
) -> None:
    name = f"{schema}.weather"
    client.create_table(name=name, primary_keys="origin", timeseries_columns="ts", df=rows)
    before = current_version(spark, name)
    for df, told in (
        (rows.drop("ts"), r"lack the key columns \['ts'\]"),
        (rows.drop("temp"), r"lack \['temp'\]"),
        (rows.selectExpr("*", "1 AS wind"), r"has no columns \['wind'\]"),
        (rows.selectExpr("origin", "CAST(ts AS DATE) AS ts", "temp"), "'ts' of .* is timestamp"),
        (
            rows.selectExpr("1 AS origin", "ts", "temp"),
            "'origin' of .* is string, but the rows have it as int",
        ),
        (rows.selectExpr("CAST(NULL AS STRING) AS origin", "ts", "temp"), "NULL in the key"),
    ):
        with pytest.raises(ValueError, match=told):
            client.write_table(name=name, df=df)
    with pytest.raises(Refused, match="checkpoint_location of a df that is no stream"):
        client.write_table(name=name, df=rows, checkpoint_location="/tmp/x")
    with pytest.raises(Refused, match="mode='overwrite'"):
        client.write_table(name=name, df=rows, mode="overwrite")
    with pytest.raises(NotFound, match="no table named"):
        client.write_table(name=f"{schema}.nothing", df=rows)
    assert current_version(spark, name) == before


@pytest.mark.parametrize("time", [None, "ts"])
def test_a_key_that_a_table_holds_twice_is_an_error_that_names_it(
    client: FeatureEngineeringClient,
    rows: DataFrame,
    spark: SparkSession,
    schema: str,
    time: str | None,
) -> None:
    name = f"{schema}.weather"
    client.create_table(name=name, primary_keys="origin", timeseries_columns=time, df=rows)
    rows.where("origin = 'EWR'").writeTo(name).append()
    found = client.create_training_set(
        df=rows.selectExpr("origin", "ts AS at"),
        feature_lookups=[
            FeatureLookup(
                name, "origin", feature_names="temp", timestamp_lookup_key="at" if time else None
            )
        ],
        label=None,
    )
    with pytest.raises(PySparkException, match=rf"{name}' holds the key origin=EWR.* more than"):
        found.load_df().collect()

# ruff: noqa: S608  the names are the tests' own
from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

TRIPS = (
    "tpep_pickup_datetime TIMESTAMP, tpep_dropoff_datetime TIMESTAMP, trip_distance DOUBLE,"
    " fare_amount DOUBLE, pickup_zip INT, dropoff_zip INT"
)
SUBSAMPLED = "/databricks-datasets/nyctaxi-with-zipcodes/subsampled"
DISABLED = "UC_HIVE_METASTORE_DISABLED_EXCEPTION"


def test_samples_and_system_are_catalogs_from_the_start(spark: SparkSession) -> None:
    shown = {row[0] for row in spark.sql("SHOW CATALOGS").collect()}
    assert {"main", "samples", "system"} <= shown
    assert spark.sql("SHOW TABLES IN samples.nyctaxi").collect() == [("nyctaxi", "trips", False)]


def test_taxi_trips_have_the_public_columns_and_believable_values(spark: SparkSession) -> None:
    trips = spark.table("samples.nyctaxi.trips")
    assert trips.schema.simpleString() == spark.createDataFrame([], TRIPS).schema.simpleString()
    told = trips.selectExpr(
        "count(*)", "min(fare_amount) >= 2.5", "min(trip_distance) > 0",
        "min(tpep_dropoff_datetime > tpep_pickup_datetime)", "count(DISTINCT pickup_zip) > 10",
        "year(min(tpep_pickup_datetime))",
    )  # fmt: skip
    assert told.collect() == [(21932, True, True, True, True, 2016)]


def test_samples_are_the_same_everywhere(spark: SparkSession) -> None:
    sums = [
        spark.sql(f"SELECT bit_xor(xxhash64(*)) FROM {table}").collect()[0][0]
        for table in ("samples.nyctaxi.trips", "samples.wanderbricks.bookings")
    ]
    assert sums == [-5705831103840002003, 4470637297792453991]


def test_bookings_end_after_they_begin(spark: SparkSession) -> None:
    bookings = spark.table("samples.wanderbricks.bookings")
    assert bookings.columns[:7] == [
        *("booking_id", "user_id", "property_id", "check_in", "check_out"),
        *("guests_count", "total_amount"),
    ]
    assert bookings.where("check_out <= check_in OR created_at > check_in").count() == 0


@pytest.mark.parametrize("path", [SUBSAMPLED, f"dbfs:{SUBSAMPLED}"])
def test_the_taxi_data_set_is_read_by_path(spark: SparkSession, path: str) -> None:
    assert spark.read.format("delta").load(path).count() == 21932
    assert spark.sql(f"SELECT count(*) FROM delta.`{path}`").collect() == [(21932,)]


def test_sales_orders_are_json_with_nested_products(spark: SparkSession) -> None:
    orders = spark.read.json("/databricks-datasets/retail-org/sales_orders/")
    assert orders.columns == [
        *("clicked_items", "customer_id", "customer_name", "number_of_line_items"),
        *("order_datetime", "order_number", "ordered_products", "promo_info"),
    ]
    first = orders.selectExpr("explode(ordered_products) AS p").selectExpr("p.price * p.qty > 0")
    assert first.distinct().collect() == [(True,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO samples.nyctaxi.trips SELECT * FROM samples.nyctaxi.trips",
        "DELETE FROM samples.nyctaxi.trips",
        "UPDATE samples.nyctaxi.trips SET fare_amount = 0",
        "DROP TABLE samples.nyctaxi.trips",
        "CREATE TABLE samples.nyctaxi.mine (a INT)",
        "CREATE SCHEMA samples.mine",
        "CREATE SCHEMA system.mine",
        "DROP CATALOG samples CASCADE",
    ],
)
def test_nobody_changes_samples(spark: SparkSession, statement: str) -> None:
    with pytest.raises(Exception, match="INSUFFICIENT_PERMISSIONS"):
        spark.sql(statement).collect()


def test_data_sets_are_read_only(spark: SparkSession) -> None:
    with pytest.raises(Exception, match="is read-only, as all of /databricks-datasets"):
        spark.range(1).write.parquet("dbfs:/databricks-datasets/mine")


@pytest.mark.parametrize(
    "statement",
    [
        "USE CATALOG hive_metastore",
        "SHOW SCHEMAS IN hive_metastore",
        "SELECT * FROM hive_metastore.default.t",
        "CREATE TABLE hive_metastore.default.t (a INT)",
    ],
)
def test_hive_metastore_answers_as_where_it_is_off(spark: SparkSession, statement: str) -> None:
    with pytest.raises(Exception, match=DISABLED):
        spark.sql(statement).collect()

"""Code of the older client runs as it is: first arguments by position, tables of Unity Catalog."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from laketop import shims
from laketop.ml import NotFound


@pytest.fixture
def module() -> Any:
    shims.install()
    return importlib.import_module("databricks.feature_store")


def test_a_table_is_made_written_tagged_asked_and_dropped_by_position(
    module: Any, spark: SparkSession, schema: str
) -> None:
    older = module.FeatureStoreClient(spark=spark)
    name = f"{schema}.older"
    kinds = "tail string, at timestamp, seats int"
    first = spark.sql("SELECT 'N1' AS tail, TIMESTAMP '2013-01-01 00:00:00' AS at, 100 AS seats")
    made = older.create_table(name, ["tail"], first, timestamp_keys="at", description="planes")
    assert (made.primary_keys, made.timestamp_keys, made.description) == (
        ("tail",),
        ("at",),
        "planes",
    )

    def rebuilt(rows: DataFrame) -> DataFrame:
        return rows.selectExpr("tail", "at + INTERVAL 1 DAY AS at", "seats + 1 AS seats")

    module.feature_table(rebuilt).compute_and_write({"rows": first}, feature_table_name=name)
    assert {row["seats"] for row in older.read_table(name).collect()} == {100, 101}
    older.write_table(name, spark.createDataFrame(first.collect(), kinds), "merge")
    older.set_feature_table_tag(name, "owner", "flights")
    assert older.get_table(name).tags == {"owner": "flights"}
    older.delete_feature_table_tag(name, "owner")
    asked = first.selectExpr("tail", "at + INTERVAL 12 HOURS AS asked", "1D AS late")
    lookup = module.FeatureLookup(name, "tail", timestamp_lookup_key="asked")
    found = older.create_training_set(asked, [lookup], "late", ["asked"]).load_df()
    assert [tuple(row) for row in found.collect()] == [("N1", 1.0, 100)]
    older.drop_table(name)
    with pytest.raises(NotFound):
        older.get_table(name)


@pytest.mark.filterwarnings("default")  # MLflow, and what it loads, warn of each other
def test_a_model_is_logged_and_scored_by_position(
    module: Any, spark: SparkSession, schema: str
) -> None:
    import mlflow
    from sklearn.linear_model import LinearRegression

    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    mlflow.set_experiment(f"/Shared/{schema}")
    older = module.FeatureStoreClient(spark=spark)
    name = f"{schema}.planes"
    older.create_table(name, ["tail"], spark.sql("SELECT 'N1' AS tail, 100D AS seats"))
    asked = spark.sql("SELECT 'N1' AS tail, 1D AS late")
    found = older.create_training_set(asked, [module.FeatureLookup(name, "tail")], "late", ["tail"])
    seats = found.load_df().toPandas()
    older.log_model(
        LinearRegression().fit(seats[["seats"]], seats["late"]),
        "model",
        flavor=mlflow.sklearn,
        training_set=found,
        registered_model_name=f"{schema}.seats",
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )
    try:
        scored = older.score_batch(f"models:/{schema}.seats/1", asked.select("tail"), "float")
        assert scored.schema["prediction"].dataType.simpleString() == "float"
        assert [tuple(row) for row in scored.collect()] == [("N1", 100.0, 1.0)]
    finally:
        mlflow.MlflowClient().delete_registered_model(f"{schema}.seats")

"""Scoring in batch: look-ups and predictions, against LightGBM on the joined frame."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import pandas as pd
from benchmarks import flights_data
from benchmarks.project import session, warm_project
from benchmarks.ratios import compare, run
from pyspark.sql import SparkSession

from laketop.ml import FeatureEngineeringClient, FeatureLookup

BUNDLE = "bundle: {name: bench}\n"
SCHEMA = "main.default"
ROWS = 300_000
INPUTS = ["distance", "minute_of_day", "weekday", *flights_data.WEATHER]


def main() -> None:
    """Print the ratio."""
    warnings.simplefilter("ignore")
    with (
        tempfile.TemporaryDirectory() as name,
        warm_project(BUNDLE, {}) as (_, contact),
        session(contact) as spark,
    ):
        os.environ.update(contact.environment())
        client = FeatureEngineeringClient(spark=spark)
        _tables(spark, client, Path(name))
        model, frame = _logged(spark, client)

        def scored() -> None:
            keys = spark.table(f"{SCHEMA}.flights").drop("late")
            found = client.score_batch(model_uri=f"models:/{SCHEMA}.delay/1", df=keys)
            found.write.format("noop").mode("overwrite").save()

        scored()
        compare(
            f"score_batch with look-ups of {ROWS:,} rows ÷ LightGBM on the joined frame",
            scored,
            lambda: model.predict(frame),  # type: ignore[attr-defined]  # no types
            rounds=9,
            goal=2.0,
        )


def _tables(spark: SparkSession, client: FeatureEngineeringClient, folder: Path) -> None:
    columns = ["id", "origin", "at", "distance", "minute_of_day", "weekday", "late"]
    flights = flights_data.flights().dropna(subset="late").head(ROWS)[columns]
    for table, frame in (("flights", flights), ("weather", flights_data.weather())):
        flights_data.make_table(spark, client, f"{SCHEMA}.{table}", frame, folder)


def _logged(spark: SparkSession, client: FeatureEngineeringClient) -> tuple[object, pd.DataFrame]:
    import mlflow
    import mlflow.lightgbm
    from lightgbm import LGBMRegressor

    training_set = client.create_training_set(
        df=spark.table(f"{SCHEMA}.flights"),
        feature_lookups=[FeatureLookup(f"{SCHEMA}.weather", "origin", timestamp_lookup_key="at")],
        label="late",
        exclude_columns=["id", "origin", "at"],
    )
    rows = training_set.load_df().toPandas()
    model = LGBMRegressor(objective="binary", n_estimators=200, verbose=-1)
    model.fit(rows[INPUTS].head(80_000), rows["late"].head(80_000))
    mlflow.set_registry_uri("databricks-uc")
    mlflow.set_experiment("/Shared/bench")
    with mlflow.start_run():
        client.log_model(
            model=model,
            flavor=mlflow.lightgbm,
            name="delay",
            training_set=training_set,
            registered_model_name=f"{SCHEMA}.delay",
            pip_requirements=["lightgbm"],
        )
    return model, rows[INPUTS]


if __name__ == "__main__":
    run(main)

"""Models that carry their features: logged, registered with their tables, scored by keys alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature, infer_signature
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import FloatType

from laketop.ml import (
    FeatureEngineeringClient,
    FeatureFunction,
    FeatureLookup,
    NotFound,
    current_version,
)

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


def total() -> Any:
    """Return a model that adds its inputs, and a parameter."""

    class Sum(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # loaded lazily
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002
            more = (params or {}).get("more", 0.0)
            return model_input.fillna(-100.0).sum(axis="columns").to_numpy() + more

    return Sum()


@pytest.fixture
def planes(client: FeatureEngineeringClient, spark: SparkSession, schema: str) -> str:
    name = f"{schema}.planes"
    rows = spark.createDataFrame(
        [("N1", 2.0, 10.0), ("N2", 4.0, 20.0)], "tail string, engines double, seats double"
    )
    client.create_table(name=name, primary_keys="tail", df=rows)
    spark.sql(f"CREATE FUNCTION {schema}.twice(x DOUBLE) RETURNS DOUBLE RETURN 2 * x")
    return name


@pytest.fixture
def uri(
    client: FeatureEngineeringClient, planes: str, spark: SparkSession, schema: str
) -> Iterator[str]:
    """A version of a model of engines, seats, twice the distance, and the distance."""
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    experiment = mlflow.set_experiment(f"/Shared/{schema}")
    flights = spark.createDataFrame(
        [(1, "N1", 100.0, 0.0), (2, "N3", 200.0, 1.0)],
        "id int, tailnum string, distance double, late double",
    )
    training_set = client.create_training_set(
        df=flights,
        feature_lookups=[
            FeatureLookup(planes, "tailnum"),
            FeatureFunction(
                udf_name=f"{schema}.twice", input_bindings={"x": "distance"}, output_name="twice"
            ),
        ],
        label="late",
        exclude_columns=["id", "tailnum"],
    )
    rows = training_set.load_df().drop("late").toPandas()
    with mlflow.start_run(experiment_id=experiment.experiment_id):
        client.log_model(
            model=total(),
            flavor=mlflow.pyfunc,
            artifact_path="model",
            training_set=training_set,
            registered_model_name=f"{schema}.total",
            signature=infer_signature(rows, np.array([1.0]), params={"more": 0.0}),
            pip_requirements=["mlflow"],
        )
    yield f"models:/{schema}.total/1"
    MlflowClient().delete_registered_model(f"{schema}.total")


def signing(flavor: Any, signature: ModelSignature | None) -> Any:
    """Return a flavor that saves what another does, with this signature whatever it is given."""

    class Signing:
        __name__ = flavor.__name__

        @staticmethod
        def save_model(path: str, mlflow_model: Any = None, **kwargs: Any) -> None:
            given = {**kwargs, "signature": signature}
            flavor.save_model(path=path, mlflow_model=mlflow_model, **given)

    return Signing()


def predictions(df: DataFrame) -> list[Any]:
    return [row["prediction"] for row in df.orderBy("tailnum").collect()]


def test_keys_are_enough_and_what_is_brought_goes_first(
    client: FeatureEngineeringClient, uri: str, spark: SparkSession, planes: str
) -> None:
    keys = spark.createDataFrame([("N1", 1.0), ("N3", 1.0)], "tailnum string, distance double")
    scored = client.score_batch(model_uri=uri, df=keys, use_spark_native_join=True)
    assert scored.columns == ["tailnum", "distance", "engines", "seats", "twice", "prediction"]
    assert predictions(scored) == [2.0 + 10.0 + 2.0 + 1.0, -200.0 + 3.0]
    own = keys.selectExpr("*", "1000D AS seats")
    assert predictions(client.score_batch(model_uri=uri, df=own))[0] == 2.0 + 1000.0 + 3.0
    moved = client.score_batch(model_uri=uri, df=keys, result_type="string", params={"more": 0.75})
    assert moved.schema["prediction"].dataType.simpleString() == "string"
    assert predictions(moved)[0] == "15.75"
    typed = client.score_batch(model_uri=uri, df=keys, result_type=FloatType())
    assert (typed.schema["prediction"].dataType, predictions(typed)[0]) == (FloatType(), 15.0)
    client.write_table(
        name=planes, df=spark.createDataFrame([("N3", 0.5)], "tail string, engines double")
    )
    assert predictions(client.score_batch(model_uri=uri, df=keys))[1] == 0.5 - 100.0 + 3.0
    whole = keys.drop("tailnum").selectExpr("*", "0D AS engines", "0D AS seats")
    found = client.score_batch(model_uri=uri, df=whole).collect()
    assert [row["prediction"] for row in found] == [3.0, 3.0]


def test_a_version_knows_its_tables_and_functions(
    client: FeatureEngineeringClient, uri: str, spark: SparkSession, planes: str, schema: str
) -> None:
    version = MlflowClient().get_model_version(f"{schema}.total", "1")
    read = current_version(spark, planes)
    assert json.loads(version.tags["feature_tables"]) == [f"{planes}@v{read}"]
    assert json.loads(version.tags["feature_functions"]) == [f"{schema}.twice"]
    run = MlflowClient().get_run(str(version.run_id))
    (dataset,) = run.inputs.dataset_inputs  # type: ignore[union-attr]  # it has inputs
    source = json.loads(dataset.dataset.source)
    assert (source["delta_table_name"], source["delta_table_version"]) == (planes, read)
    assert source["delta_table_id"]
    plain = mlflow.pyfunc.load_model(uri)
    row = pd.DataFrame({"distance": [1.0], "engines": [2.0], "seats": [3.0], "twice": [4.0]})
    assert plain.predict(row).tolist() == [10.0]


def test_what_cannot_be_scored_is_told(
    client: FeatureEngineeringClient, uri: str, spark: SparkSession, planes: str, schema: str
) -> None:
    keys = spark.createDataFrame([("N1", 1.0)], "tailnum string, distance double")

    def score(df: DataFrame, model: str = uri) -> None:
        client.score_batch(model_uri=model, df=df)

    with pytest.raises(ValueError, match=r"lack the columns \['distance'\]"):
        score(keys.drop("distance"))
    with pytest.raises(ValueError, match=r"lack the columns \['tailnum'\]"):
        score(keys.drop("tailnum"))
    with pytest.raises(ValueError, match=r"'tailnum' is int, but 'tail' of"):
        score(keys.selectExpr("1 AS tailnum", "distance"))
    with pytest.raises(ValueError, match=r"'distance' is string, but the model .* as double"):
        score(keys.selectExpr("tailnum", "'far' AS distance"))
    with pytest.raises(MlflowException, match="gone"):
        score(keys, f"models:/{schema}.total@gone")
    with pytest.raises(ValueError, match="a column 'prediction' already"):
        score(keys.selectExpr("*", "1 AS prediction"))
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="plain", python_model=total(), pip_requirements=["mlflow"]
        )
    with pytest.raises(NotFound, match="no feature spec named"):
        score(keys, logged.model_uri)
    spark.sql(f"ALTER TABLE {planes} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    spark.sql(f"ALTER TABLE {planes} DROP COLUMN seats")
    with pytest.raises(NotFound, match=r"no feature of '.*planes' named 'seats'"):
        score(keys)
    client.drop_table(name=planes)
    with pytest.raises(NotFound, match=r"no feature table named '.*planes'"):
        score(keys)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (None, "has no signature with inputs"),
        (pd.DataFrame({"fuel": [1.0]}), r"takes \['fuel'\], which the rows to score lack"),
    ],
)
def test_a_signature_is_needed_and_inputs_that_nobody_brings_are_told(
    client: FeatureEngineeringClient,
    planes: str,
    schema: str,
    inputs: pd.DataFrame | None,
    message: str,
) -> None:
    mlflow.set_tracking_uri("databricks")
    mlflow.set_experiment(f"/Shared/{schema}")
    keys = client.spark.sql("SELECT 'N1' AS tailnum")
    training_set = client.create_training_set(
        df=keys, feature_lookups=[FeatureLookup(planes, "tailnum")], label=None
    )
    answer = np.array([1.0])
    signature = None if inputs is None else infer_signature(inputs, answer)
    logged = client.log_model(
        model=total(),
        flavor=signing(mlflow.pyfunc, signature),
        training_set=training_set,
        signature=infer_signature(np.array([[1.0]]), answer),
        pip_requirements=["mlflow"],
    )
    with pytest.raises(ValueError, match=message):
        client.score_batch(model_uri=logged.model_uri, df=keys)


def test_signature_and_example_come_from_the_training_set(
    client: FeatureEngineeringClient, planes: str, spark: SparkSession, schema: str
) -> None:
    from sklearn.linear_model import LinearRegression

    mlflow.set_tracking_uri("databricks")
    mlflow.set_experiment(f"/Shared/{schema}")
    training_set = client.create_training_set(
        df=spark.createDataFrame([("N1", 0.0), ("N2", 1.0)], "tailnum string, late double"),
        feature_lookups=[FeatureLookup(planes, "tailnum", feature_names="engines")],
        label="late",
        exclude_columns="tailnum",
    )
    rows = training_set.load_df().toPandas()
    info = client.log_model(
        model=LinearRegression().fit(rows[["engines"]], rows["late"]),
        flavor=mlflow.sklearn,
        training_set=training_set,
        infer_input_example=True,
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )
    assert info.signature.inputs.input_names() == ["engines"]
    assert (info.saved_input_example_info or {})["pandas_orient"] == "split"

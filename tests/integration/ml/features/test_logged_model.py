"""Models logged without Spark, into a registry of MLflow's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from sklearn.linear_model import LinearRegression

from laketop.ml import FeatureEngineeringClient, FeatureLookup, FeatureSpec
from laketop.ml.features import logged_model
from laketop.ml.features.spec import SPEC_FILE, ResolvedLookup
from laketop.ml.features.training_set import TrainingSet

# MLflow's own modules warn while they are imported.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow's with nothing in it: making one takes seconds, a copy none."""
    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(file.parent)  # where it makes a folder for artifacts
        MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def tracking(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of MLflow's own, in a file."""
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    address = f"sqlite:///{shutil.copy(empty, tmp_path / 'tracking.db')}"
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    yield address
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def of_tables(*names: str) -> TrainingSet:
    """A training set whose rows nobody asks for."""
    lookups = tuple(
        ResolvedLookup(table=name, version=3, primary_keys=("k",), lookup_key=("k",))
        for name in names
    )
    no_rows: Any = None
    return TrainingSet(no_rows, FeatureSpec(inputs=("k",), lookups=lookups))


def log(client: FeatureEngineeringClient, **options: Any) -> ModelInfo:
    return client.log_model(
        model=LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]),
        flavor=mlflow.sklearn,
        signature=infer_signature(np.array([[0.0]]), np.array([0.0])),
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
        **options,
    )


def is_empty(tracking: str, run: Run) -> bool:
    """Whether nothing is registered, nothing logged, and no input told of this run."""
    server = MlflowClient(tracking)
    inputs: Any = server.get_run(run.info.run_id).inputs
    logged = server.search_logged_models([run.info.experiment_id])
    return not (server.search_registered_models() or logged or inputs.dataset_inputs)


def test_without_a_training_set_it_is_a_plain_model_and_needs_no_spark(tracking: str) -> None:
    client = FeatureEngineeringClient()
    info = log(client, training_set=None, registered_model_name="m", await_registration_for=1)
    assert client._spark is None
    assert not (Path(mlflow.artifacts.download_artifacts(info.model_uri)) / SPEC_FILE).exists()
    version = MlflowClient(tracking).get_model_version("m", "1")
    assert (version.status, version.tags) == ("READY", {})


def test_outside_a_run_the_model_is_logged_and_knows_its_tables(tracking: str) -> None:
    info = log(
        FeatureEngineeringClient(), training_set=of_tables("c.s.t"), registered_model_name="m"
    )
    assert mlflow.active_run() is None
    tags = MlflowClient(tracking).get_model_version("m", "1").tags
    assert tags == {"feature_tables": '["c.s.t@v3"]'}
    assert (Path(mlflow.artifacts.download_artifacts(info.model_uri)) / SPEC_FILE).is_file()


def test_the_registry_of_the_client_is_the_one_registered_to(
    tracking: str, empty: Path, tmp_path: Path
) -> None:
    registry = f"sqlite:///{shutil.copy(empty, tmp_path / 'registry.db')}"
    client = FeatureEngineeringClient(model_registry_uri=registry)
    log(client, training_set=of_tables("c.s.t"), registered_model_name="m")
    assert MlflowClient(tracking, registry).get_model_version("m", "1").tags
    with pytest.raises(MlflowException, match="not found"):
        MlflowClient(tracking, tracking).get_model_version("m", "1")


def test_the_registry_of_the_client_is_the_one_scored_from(
    tracking: str, empty: Path, tmp_path: Path, spark: SparkSession
) -> None:
    registry = f"sqlite:///{shutil.copy(empty, tmp_path / 'registry.db')}"
    client = FeatureEngineeringClient(spark=spark, model_registry_uri=registry)
    rows = spark.sql("SELECT 0.5D AS x, 0D AS late")
    client.log_model(
        model=LinearRegression().fit(pd.DataFrame({"x": [0.0, 1.0]}), [0.0, 2.0]),
        flavor=mlflow.sklearn,
        training_set=client.create_training_set(df=rows, label="late"),
        registered_model_name="m",
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )
    mlflow.set_registry_uri(tracking)  # what somebody else in the process asks
    scored = client.score_batch(model_uri="models:/m/1", df=rows.drop("late"))
    assert [round(row["prediction"], 6) for row in scored.collect()] == [1.0]
    mlflow.set_registry_uri(tracking)
    with pytest.raises(MlflowException, match="not found"):
        FeatureEngineeringClient(spark=spark).score_batch(model_uri="models:/m/1", df=rows)


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ({"x": [0.5], "fuel": [1.0]}, r"takes \['fuel'\], which the training set does not give"),
        ({"x": [0.5], "late": [1.0]}, r"takes \['late'\], which the training set does not give"),
        ({"x": ["far"]}, r"takes 'x' as string, but the training set gives double"),
    ],
)
def test_a_signature_that_the_training_set_does_not_give_is_refused_before_anything_is_logged(
    taken: dict[str, Any], told: str, tracking: str, spark: SparkSession
) -> None:
    client = FeatureEngineeringClient(spark=spark)
    rows = spark.sql("SELECT 0.5D AS x, 0D AS late")
    with mlflow.start_run() as run, pytest.raises(ValueError, match=told):
        client.log_model(
            model=LinearRegression().fit(pd.DataFrame({"x": [0.0, 1.0]}), [0.0, 2.0]),
            flavor=mlflow.sklearn,
            training_set=client.create_training_set(df=rows, label="late"),
            registered_model_name="m",
            signature=infer_signature(pd.DataFrame(taken), np.array([1.0])),
            pip_requirements=["scikit-learn"],
        )
    assert is_empty(tracking, run)


def test_a_table_that_holds_a_key_twice_leaves_no_model_and_no_version(
    tracking: str, spark: SparkSession, schema: str
) -> None:
    client = FeatureEngineeringClient(spark=spark)
    planes = spark.createDataFrame([("N1", 2.0)], "tail string, engines double")
    client.create_table(name=f"{schema}.planes", primary_keys="tail", df=planes)
    planes.writeTo(f"{schema}.planes").append()
    training_set = client.create_training_set(
        df=spark.sql("SELECT 'N1' AS tailnum, 0D AS late"),
        feature_lookups=[FeatureLookup(f"{schema}.planes", "tailnum")],
        label="late",
        exclude_columns="tailnum",
    )
    with (
        mlflow.start_run() as run,
        pytest.raises(PySparkException, match=r"planes' holds the key tail=N1 more than once"),
    ):
        client.log_model(
            model=LinearRegression().fit(pd.DataFrame({"engines": [0.0, 1.0]}), [0.0, 2.0]),
            flavor=mlflow.sklearn,
            training_set=training_set,
            registered_model_name="m",
            pip_requirements=["scikit-learn"],
        )
    assert is_empty(tracking, run)


def test_a_version_is_made_with_its_tags_and_those_that_were_asked_for(
    tracking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the process once the version is there: it knows its tables."""

    def ended(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(logged_model, "_complete", ended)
    with pytest.raises(KeyboardInterrupt):
        log(
            FeatureEngineeringClient(),
            training_set=of_tables("c.s.t"),
            registered_model_name="m",
            tags={"owner": "ann"},
        )
    version = MlflowClient(tracking).get_model_version("m", "1")
    assert version.tags == {"feature_tables": '["c.s.t@v3"]', "owner": "ann"}


def test_a_version_that_cannot_be_tagged_is_not_made(tracking: str) -> None:
    """More than MLflow keeps in a tag: nothing is there that does not know its tables."""
    with pytest.raises(MlflowException):
        log(
            FeatureEngineeringClient(),
            training_set=of_tables("c.s." + 100_000 * "t"),
            registered_model_name="m",
        )
    assert MlflowClient(tracking).search_model_versions("name = 'm'") == []

"""Models scored in an environment of their own: its packages, the same answers, and what fails."""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, DoubleType, FloatType

from laketop.errors import LaketopError, Refused
from laketop.ml import FeatureEngineeringClient, FeatureLookup, WithFiles
from laketop.ml.locks import LOCK_FILE

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

PLAIN = [f"mlflow-skinny=={mlflow.__version__}", f"pandas=={pd.__version__}"]
MODEL = """\
import mlflow

class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        print("a model may talk")
        {statement}

mlflow.models.set_model(Model())
"""
VERSION = """\
from importlib import metadata
        return [float(metadata.version("iniconfig").split(".")[0])] * len(model_input)
"""
SUM = """\
more = (params or {}).get("more", 0.0)
        given = model_input.drop(columns="tailnum").fillna(-100.0).sum(axis="columns")
        return (given + model_input["tailnum"].map(lambda v: 0 if v is None else len(v))) + more
"""

Logged = Callable[..., str]


def wheel(folder: Path) -> Path:
    """Write a package that is installed here too, in a version that nobody published."""
    file = folder / "iniconfig-99.0-py3-none-any.whl"
    kept = {
        "METADATA": "Metadata-Version: 2.1\nName: iniconfig\nVersion: 99.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in kept.items():
            archive.writestr(f"iniconfig-99.0.dist-info/{name}", text)
    return file


@pytest.fixture
def planes(client: FeatureEngineeringClient, spark: SparkSession, schema: str) -> str:
    name = f"{schema}.planes"
    rows = spark.createDataFrame([("N1", 2.0), ("N2", None)], "tail string, engines double")
    client.create_table(name=name, primary_keys="tail", df=rows)
    return name


@pytest.fixture
def keys(spark: SparkSession) -> DataFrame:
    rows = [("N1", 100.0), ("N2", float("nan")), ("N30", 0.1), (None, None)]
    return spark.createDataFrame(rows, "tailnum string, distance double")


@pytest.fixture
def logged(
    client: FeatureEngineeringClient, planes: str, keys: DataFrame, schema: str, tmp_path: Path
) -> Logged:
    """What logs a model of tail number, distance and engines; it answers by a statement."""
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    mlflow.set_experiment(f"/Shared/{schema}")
    code = tmp_path / "model.py"

    def log(statement: str, requirements: list[str], files: dict[str, str] | None = None) -> str:
        code.write_text(MODEL.format(statement=statement), encoding="utf-8")
        sample = pd.DataFrame({"tailnum": ["N1"], "distance": [1.0], "engines": [2.0]})
        info = client.log_model(
            model=str(code),
            flavor=WithFiles(mlflow.pyfunc, files or {}),  # type: ignore[arg-type]  # as a module
            training_set=client.create_training_set(
                df=keys, feature_lookups=[FeatureLookup(planes, "tailnum")], label=None
            ),
            signature=infer_signature(sample, np.array([1.0]), params={"more": 0.0}),
            pip_requirements=requirements,
        )
        return str(info.model_uri)

    return log


def answers(client: FeatureEngineeringClient, uri: str, keys: DataFrame, **how: Any) -> list[Any]:
    rows = client.score_batch(model_uri=uri, df=keys, **how).orderBy("tailnum").collect()
    return [row["prediction"] for row in rows]


def is_there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_model_scores_with_its_own_version_of_a_package(
    client: FeatureEngineeringClient, logged: Logged, keys: DataFrame, tmp_path: Path
) -> None:
    file = wheel(tmp_path)
    uri = logged(VERSION, [*PLAIN, f"iniconfig @ file://{file}"])
    here = float(metadata.version("iniconfig").split(".")[0])
    assert here != 99.0
    assert set(answers(client, uri, keys)) == {here}
    assert set(answers(client, uri, keys, env_manager="virtualenv")) == {99.0}
    locked = "\n".join([*PLAIN, f"{file}\n"])
    by_lock = logged(VERSION, PLAIN, {LOCK_FILE: locked})
    assert set(answers(client, by_lock, keys, env_manager="uv")) == {99.0}


def test_the_answers_are_those_of_the_present_environment(
    client: FeatureEngineeringClient, logged: Logged, keys: DataFrame
) -> None:
    uri = logged(SUM, PLAIN)
    expected = [-200.0, 100.0 + 2.0 + 2, -200.0 + 2, 0.1 - 100.0 + 3]
    for result_type in ("double", "string", FloatType(), ArrayType(DoubleType())):
        how = {"result_type": result_type, "params": {"more": 0.75}}
        here = answers(client, uri, keys, **how)
        assert answers(client, uri, keys, **how, env_manager="virtualenv") == here
        assert result_type != "double" or here == [each + 0.75 for each in expected]


def test_no_process_of_a_model_is_left_when_its_rows_are_scored(
    client: FeatureEngineeringClient, logged: Logged, keys: DataFrame
) -> None:
    """Each told its own number, which tells that it was there."""
    uri = logged("import os; return [float(os.getpid())] * len(model_input)", PLAIN)
    numbers = {int(found) for found in answers(client, uri, keys, env_manager="virtualenv")}
    assert os.getpid() not in numbers
    until = time.monotonic() + 60
    while left := list(filter(is_there, numbers)):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_what_cannot_be_built_is_told_by_its_requirement_and_leaves_nothing(
    client: FeatureEngineeringClient,
    logged: Logged,
    keys: DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = logged(SUM, [*PLAIN, "laketop-nowhere==3"])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with pytest.raises(LaketopError, match=r"cannot be built: .*laketop-nowhere==3") as told:
        client.score_batch(model_uri=uri, df=keys, env_manager="virtualenv")
    assert uri in told.value.message
    assert "\n" not in told.value.message
    assert list(scratch.glob("laketop-*")) == []


def test_conda_is_refused_by_name(
    client: FeatureEngineeringClient, logged: Logged, keys: DataFrame
) -> None:
    uri = logged(SUM, PLAIN)
    with pytest.raises(Refused, match=r"score_batch\(env_manager='conda'\) over Spark Connect"):
        client.score_batch(model_uri=uri, df=keys, env_manager="conda")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("raise KeyError('wings')", "in its own environment the model says KeyError: 'wings'"),
        (
            "import os, sys; print('no fuel', file=sys.stderr, flush=True); os._exit(7)",
            "process ended with code 7: .*no fuel",
        ),
        ("return [1j]", "complex cannot go from one environment to another"),
        ("import scipy", "No module named 'scipy'"),
    ],
)
def test_a_model_that_fails_in_its_environment_is_told_by_what_it_said(
    client: FeatureEngineeringClient, logged: Logged, keys: DataFrame, statement: str, told: str
) -> None:
    uri = logged(statement, PLAIN)
    scored = client.score_batch(model_uri=uri, df=keys, env_manager="virtualenv")
    with pytest.raises(PythonException, match=told):
        scored.collect()

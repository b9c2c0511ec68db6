"""Decisions are kept in Delta tables, which let one promotion win, whoever is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from pyspark.sql import SparkSession

from laketop.engine.connect import RemoteEngine
from laketop.ml import (
    Contender,
    LabelledRows,
    NotFound,
    Superseded,
    approve,
    evaluate,
    evaluation_of,
    minimum_auc,
    minimum_slice_auc,
    promote,
    record_evaluation,
    record_promotion,
    roll_back,
    settle,
    version_of,
)

# MLflow's own modules warn while they are imported.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a registry of MLflow's own keeps its models."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


@pytest.fixture(scope="module")
def registry(address: str) -> MlflowClient:
    return MlflowClient(address, address)


@pytest.fixture
def model(registry: MlflowClient, tmp_path: Path) -> str:
    """A model of nine versions: the first is the champion, the second the challenger."""
    name = f"m{uuid.uuid4().hex}"
    registry.create_registered_model(name)
    for _ in range(9):
        registry.create_model_version(name, source=tmp_path.as_uri(), run_id=None)
    registry.set_registered_model_alias(name, "champion", "1")
    registry.set_registered_model_alias(name, "challenger", "2")
    return name


def decisions(spark: SparkSession, schema: str) -> list[tuple[Any, ...]]:
    rows = spark.table(f"{schema}.promotions").orderBy("number", "decided_at").collect()
    return [(row["number"], row["version"], row["previous"], row["outcome"]) for row in rows]


def test_verdicts_and_their_slices_are_kept_and_read_again(
    spark: SparkSession, schema: str
) -> None:
    frame = pd.DataFrame(
        {"x": np.arange(20.0), "late": [0.0] * 10 + [1.0] * 10, "origin": ["EWR", "JFK"] * 10}
    )
    rows = LabelledRows(frame, label="late", name="2013-04")
    one = Contender(name="m", version="1", predict=lambda f: f["x"].to_numpy())
    two = Contender(name="m", version="2", predict=lambda f: -f["x"].to_numpy())
    gates = [minimum_auc(0.6), minimum_slice_auc(["origin"], 0.6, least_rows=5)]
    with pytest.raises(NotFound, match="evaluation of the version"):
        evaluation_of(spark, schema, model="m", version="2")
    for candidate, champion in ((one, None), (two, one)):
        verdicts = evaluate(candidate, champion, rows, gates)
        told: dict[str, Any] = {"candidate": candidate, "champion": champion, "rows": rows}
        record_evaluation(spark, schema, verdicts, **told, run="7")
    found, against = evaluation_of(spark, schema, model="m", version="2", run="7")
    assert {v.gate: v.passed for v in found} == {"minimum_auc": False, "minimum_slice_auc": False}
    assert against == "1"
    kept = spark.table(f"{schema}.model_evaluations").where("slice IS NOT NULL").collect()
    slices = {(row["version"], row["slice"], row["measured"]) for row in kept}
    assert slices == {
        *(("1", "origin = 'EWR'", 1.0), ("1", "origin = 'JFK'", 1.0)),
        *(("2", "origin = 'EWR'", 0.0), ("2", "origin = 'JFK'", 0.0)),
    }


def test_promoted_approved_and_rolled_back_each_leave_a_row(
    spark: SparkSession, schema: str, registry: MlflowClient, model: str
) -> None:
    record_promotion(spark, schema, model=model, version="2", outcome="pending")
    approve(spark, registry, schema, model=model, version="2", by="bea")
    assert registry.get_model_version(model, "2").tags["approved_by"] == "bea"
    for _ in range(2):
        promote(spark, registry, schema, model=model, version="2", against="1", approved_by="bea")
    roll_back(spark, registry, schema, model=model, by="cem")
    with pytest.raises(NotFound, match="previous version"):
        roll_back(spark, registry, schema, model=model)
    assert decisions(spark, schema) == [
        (None, "2", None, "pending"),
        (None, "2", "1", "approved"),
        (1, "2", "1", "promoted"),
        (2, "1", "2", "rolled back"),
    ]
    assert version_of(registry, model, "champion") == "1"


def test_a_table_of_an_older_shape_is_given_the_columns_it_lacks(
    spark: SparkSession, schema: str, registry: MlflowClient, model: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.promotions (decided_at timestamp, model string) USING delta")
    older = spark.sql("SELECT current_timestamp() AS decided_at, 'other' AS model")
    older.writeTo(f"{schema}.promotions").append()
    promote(spark, registry, schema, model=model, version="2", against="1")
    assert decisions(spark, schema) == [(None, None, None, None), (1, "2", "1", "promoted")]


def test_of_eight_promotions_at_once_one_wins(
    spark_remote: str, spark: SparkSession, schema: str, registry: MlflowClient, model: str
) -> None:
    lost, failed = [], []
    together = threading.Barrier(8)
    sessions = [RemoteEngine(spark_remote).session() for _ in range(8)]

    def act(session: SparkSession, version: str) -> None:
        together.wait()
        try:
            promote(session, registry, schema, model=model, version=version, against="1")
        except Superseded:
            lost.append(version)
        except Exception as error:  # noqa: BLE001 - a thread's error is told by the assertion
            failed.append(error)

    threads = [
        threading.Thread(target=act, args=(session, str(number)))
        for number, session in enumerate(sessions, start=2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for session in sessions:
        session.stop()
    assert not failed
    assert len(lost) == 7
    ((number, winner, previous, outcome),) = decisions(spark, schema)
    assert (number, previous, outcome) == (1, "1", "promoted")
    assert version_of(registry, model, "champion") == winner
    assert version_of(registry, model, "previous") == "1"


# The process kills itself before its write number `sys.argv[4]`: of the log or of the registry.
KILLED = """\
import os, signal, sys
from mlflow.tracking import MlflowClient
from laketop.engine.connect import RemoteEngine
from laketop.ml import promotion_log, promote

left = int(sys.argv[4])
def counted(act):
    def counting(*given):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return act(*given)
    return counting

for kind, name in (
    (promotion_log.DeltaLog, "claim"), (promotion_log.DeltaLog, "finish"),
    (MlflowClient, "set_registered_model_alias"), (MlflowClient, "delete_registered_model_alias"),
):
    setattr(kind, name, counted(getattr(kind, name)))
spark = RemoteEngine(sys.argv[1]).session()
client = MlflowClient(sys.argv[2], sys.argv[6])
promote(spark, client, sys.argv[3], model=sys.argv[5], version="2", against="1")
"""


@pytest.fixture(params=["of MLflow's own", "of the workspace"])
def place(
    request: pytest.FixtureRequest, address: str, model: str, schema: str
) -> tuple[str, str, str]:
    """Where MLflow tracks, where it keeps models, and one with a champion and a challenger."""
    if request.param == "of MLflow's own":
        return address, address, model
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    mlflow.set_experiment(f"/Shared/{schema}")
    frame, name = pd.DataFrame({"x": [1.0]}), f"{schema}.m"
    for _ in range(2):
        mlflow.pyfunc.log_model(
            name="m",
            python_model=lambda model_input: model_input,
            signature=infer_signature(frame, frame),
            pip_requirements=["mlflow"],
            registered_model_name=name,
        )
    client = MlflowClient()
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "challenger", "2")
    return "databricks", "databricks-uc", name


@pytest.mark.parametrize("step", range(5))
def test_killed_at_any_step_there_is_a_champion_and_the_next_call_completes_the_record(
    *,
    step: int,
    task_environment: Mapping[str, str],
    spark_remote: str,
    spark: SparkSession,
    schema: str,
    place: tuple[str, str, str],
) -> None:
    tracking, address, model = place
    registry = MlflowClient(tracking, address)
    arguments = [spark_remote, tracking, schema, str(step), model, address]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env=task_environment,
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert version_of(registry, model, "champion") == ("1" if step < 3 else "2")
    expected = "1" if step == 0 else "2"
    assert settle(spark, registry, schema, model=model) == expected
    assert version_of(registry, model, "champion") == expected
    assert version_of(registry, model, "previous") == ("1" if step else None)
    assert decisions(spark, schema) == ([(1, "2", "1", "promoted")] if step else [])


def test_a_version_that_is_not_there_is_not_promoted(
    spark: SparkSession, schema: str, registry: MlflowClient, model: str
) -> None:
    with pytest.raises(MlflowException, match="not found"):
        promote(spark, registry, schema, model=model, version="77", against="1")
    assert decisions(spark, schema) == []

"""A new version starts its model's deployment job, whose gates make it champion, or do not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import JobParameterDefinition, NotebookTask, Task
from mlflow import MlflowClient
from mlflow.models import infer_signature
from pyspark.sql import SparkSession

from laketop.ml import version_of
from laketop.workspace.daemon import Contact

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

GATES = """\
# Databricks notebook source
import mlflow
import pandas as pd
from laketop.ml import LabelledRows, contender, evaluate, minimum_auc, outcome, promote, version_of

mlflow.set_registry_uri("databricks-uc")
name, version = dbutils.widgets.get("model_name"), dbutils.widgets.get("model_version")
client = mlflow.MlflowClient()
champion = version_of(client, name, "champion")
frame = pd.DataFrame({"x": [float(i) for i in range(40)]})
rows = LabelledRows(frame.assign(late=(frame["x"] > 20) * 1.0), label="late", name="forty")
verdicts = evaluate(contender(client, name, version), None, rows, [minimum_auc(0.9)])
if outcome(verdicts) == "approved":
    schema = name.rpartition(".")[0]
    promote(spark, client, schema, model=name, version=version, against=champion)
dbutils.notebook.exit(outcome(verdicts))
"""


@pytest.fixture
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=workspace.token)


@pytest.fixture
def job(client: WorkspaceClient, tmp_path: Path) -> Iterator[int]:
    notebook = tmp_path / "gates.py"
    notebook.write_text(GATES, encoding="utf-8")
    task = Task(task_key="gates", notebook_task=NotebookTask(notebook_path=str(notebook)))
    parameters = [JobParameterDefinition(name, "") for name in ("model_name", "model_version")]
    made = client.jobs.create(name="gates", tasks=[task], parameters=parameters).job_id or 0
    yield made
    client.jobs.delete(made)


def register(name: str, sign: float) -> None:
    class Ranks(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # loaded lazily
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002
            return sign * model_input["x"].to_numpy()

    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=Ranks(),
            signature=infer_signature(pd.DataFrame({"x": [1.0]}), np.array([1.0])),
            pip_requirements=["mlflow"],
            registered_model_name=name,
        )


def answers(client: WorkspaceClient, job: int, runs: int) -> list[str | None]:
    """Wait for so many runs of the job, and return what their notebooks gave, the first first."""
    deadline = time.monotonic() + 300
    while len(done := list(client.jobs.list_runs(job_id=job, completed_only=True))) < runs:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    told = []
    for run in reversed(done):
        (task,) = client.jobs.get_run(run.run_id or 0).tasks or []
        output = client.jobs.get_run_output(task.run_id or 0)
        assert output.notebook_output is not None, output.error
        told.append(output.notebook_output.result)
    return told


def test_a_new_version_starts_the_gates_which_make_it_champion_or_leave_the_old_one(
    client: WorkspaceClient, job: int, spark: SparkSession, schema: str
) -> None:
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    mlflow.set_experiment(f"/Shared/{schema}")
    registry, name = MlflowClient(), f"{schema}.m"
    store: Any = registry
    store._get_registry_client().store.create_registered_model(name, deployment_job_id=str(job))
    try:
        register(name, sign=1.0)
        assert answers(client, job, 1) == ["approved"]
        assert version_of(registry, name, "champion") == "1"
        register(name, sign=-1.0)
        assert answers(client, job, 2) == ["approved", "rejected"]
        assert version_of(registry, name, "champion") == "1"
        (row,) = spark.table(f"{schema}.promotions").collect()
        assert (row["version"], row["outcome"]) == ("1", "promoted")
    finally:
        registry.delete_registered_model(name)

"""A run that is told of a version by the registry works on that one, whatever the challenger is.

And one whose own run decides about it is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from databricks.sdk.service.jobs import RunResultState
from mlflow.models import infer_signature

from flights import registry
from flights.evaluate import evaluate
from flights.monitor import monitor
from flights.parameters import Parameters
from flights.promote import decide
from flights.score import score
from laketop.ml import Contender, LabelledRows, NotFound, Verdict, record_evaluation, version_of

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


class Half(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # loaded lazily
    """A model of the smallest kind."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002
        """Return a half for each row."""
        return np.full(len(model_input), 0.5)


def logged(**options: Any) -> Any:
    return mlflow.pyfunc.log_model(
        name="model",
        python_model=Half(),
        signature=infer_signature(pd.DataFrame({"x": [1.0]}), np.array([1.0])),
        pip_requirements=["mlflow"],
        **options,
    )


@pytest.fixture
def run(spark: SparkSession, schema: str) -> Iterator[Parameters]:
    """Return parameters whose model has two versions; the first is champion and challenger."""
    catalog, _, name = schema.partition(".")
    found = Parameters(catalog=catalog, schema=name, experiment=f"/Shared/{name}", run="1")
    client = registry.client(found)
    try:
        with mlflow.start_run():
            for _ in range(2):
                logged(registered_model_name=found.model)
        for alias in (registry.CHAMPION, registry.CHALLENGER):
            client.set_registered_model_alias(found.model, alias, "1")
        yield found
    finally:
        client.delete_registered_model(found.model)


def test_the_version_that_the_run_is_told_of_becomes_the_challenger_once(
    spark: SparkSession, run: Parameters
) -> None:
    client = registry.client(run)
    assert registry.candidate(spark, client, run) == "1"
    with pytest.raises(ValueError, match=r"told of 'main\.other\.delay', and deploys"):
        registry.candidate(
            spark, client, replace(run, model_name="main.other.delay", model_version="2")
        )
    assert version_of(client, run.model, registry.CHALLENGER) == "1"
    told = replace(run, model_name=run.model, model_version="2")
    for _ in range(2):
        assert registry.candidate(spark, client, told) == "2"
    assert version_of(client, run.model, registry.CHALLENGER) == "2"
    (row,) = spark.table(run.table("promotions")).collect()
    assert (row["version"], row["outcome"], row["previous"]) == ("2", "challenger", "1")


def test_a_promotion_decides_on_the_version_that_the_run_is_told_of(
    spark: SparkSession, run: Parameters
) -> None:
    client = registry.client(run)
    rows = LabelledRows(pd.DataFrame({"x": [0.0, 1.0], "y": [0, 1]}), label="y", name="r")
    failed = Verdict(gate="minimum_auc", passed=False, reason="AUC 0.5")
    record_evaluation(
        spark,
        run.full_schema,
        [failed],
        candidate=Contender(name=run.model, version="2", predict=lambda f: np.zeros(len(f))),
        champion=None,
        rows=rows,
        run=run.run_name,
    )
    told = replace(run, model_name=run.model, model_version="2")
    assert decide(spark, told) == "rejected"
    decided = spark.table(run.table("promotions")).where("outcome = 'rejected'").collect()
    assert [(row["version"], row["reason"]) for row in decided] == [("2", "minimum_auc: AUC 0.5")]
    assert version_of(client, run.model, registry.CHAMPION) == "1"


@pytest.fixture
def connected(
    spark: SparkSession,
    schema: str,
    job_named: Callable[[str], int],
) -> Iterator[Parameters]:
    """Return parameters whose model, without a version, starts the bundle's deployment job."""
    catalog, _, name = schema.partition(".")
    job = str(job_named("deployment"))
    found = Parameters(
        catalog=catalog, schema=name, experiment=f"/Shared/{name}", deployment_job=job
    )
    client = registry.client(found)
    try:
        registry.connect(client, replace(found, deployment_job=""))
        assert not any(model.name == found.model for model in client.search_registered_models())
        for _ in range(2):  # makes it, finds it
            registry.connect(client, found)
            assert client.get_registered_model(found.model).deployment_job_id == job
        yield found
    finally:
        client.delete_registered_model(found.model)


def test_a_version_whose_own_run_decides_starts_the_deployment_job_which_leaves_it_alone(
    ws: WorkspaceClient, spark: SparkSession, connected: Parameters
) -> None:
    job = int(connected.deployment_job)

    def ended() -> set[int]:
        runs = ws.jobs.list_runs(job_id=job, completed_only=True)
        return {run.run_id for run in runs if run.run_id is not None}

    before = ended()
    client = registry.client(connected)
    with mlflow.start_run():
        source = logged().model_uri
    version = client.create_model_version(
        connected.model, source, tags={registry.DECIDED_BY: "77"}
    ).version
    deadline = time.monotonic() + 300
    while not (done := ended() - before):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    started = ws.jobs.get_run(done.pop())
    assert not done
    assert started.state is not None
    assert started.state.result_state is RunResultState.SUCCESS, started.state
    figures = spark.table(connected.table("run_figures")).where(f"run = '{started.run_id}'")
    told = figures.orderBy("recorded_at").collect()
    assert [(row["what"], row["on"], row["figure"]) for row in told] == [
        (step, f"version {version}", "left to run 77") for step in ("evaluate", "promote")
    ]
    assert version_of(client, connected.model, registry.CHALLENGER) is None


@pytest.mark.parametrize(
    ("step", "alias"),
    [(score, "champion"), (monitor, "champion"), (evaluate, "challenger"), (decide, "challenger")],
)
def test_an_alias_that_vanished_is_named_and_nothing_is_written(
    step: Callable[[SparkSession, Parameters], object],
    alias: str,
    spark: SparkSession,
    run: Parameters,
) -> None:
    client = registry.client(run)
    other = {"champion": "challenger", "challenger": "champion"}[alias]
    client.delete_registered_model_alias(run.model, alias)
    with pytest.raises(NotFound, match=rf"named '{run.model}@{alias}'"):
        step(spark, run)
    made = [table.name for table in spark.catalog.listTables(run.full_schema)]
    assert [name for name in made if spark.table(run.table(name)).count()] == []
    assert version_of(client, run.model, alias) is None
    assert version_of(client, run.model, other) == "1"

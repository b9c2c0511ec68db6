"""What a version carries: card, lock, recipe, pictures, trials; and that it can be made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.jobs import RunResultState

from flights.train import train
from laketop.ml import LaketopError, NotFound, reproduce, restore

if TYPE_CHECKING:
    from conftest import Ran
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run
    from mlflow.tracking import MlflowClient
    from pyspark.sql import SparkSession

TABLES = ("flights", "weather_features", "delay_features")


@pytest.fixture(scope="module")
def registry() -> MlflowClient:
    import mlflow

    mlflow.set_registry_uri("databricks-uc")
    return mlflow.MlflowClient()


@pytest.fixture(scope="module")
def logged(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import mlflow

    mlflow.set_registry_uri("databricks-uc")
    folder = tmp_path_factory.mktemp("logged")
    uri = f"models:/{ran.parameters.model}/1"
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))


def test_card_lock_recipe_and_feature_spec_lie_beside_the_model(logged: Path, ran: Ran) -> None:
    card = (logged / "model_card.md").read_text()
    assert card.startswith(f"# {ran.parameters.model}\n")
    assert "validation_calibration_error" in card
    lock = (logged / "requirements.lock").read_text()
    assert "lightgbm==" in lock
    assert "--hash=sha256:" in lock
    recipe = json.loads((logged / "recipe.json").read_text())
    assert set(recipe["inputs"]) == {ran.parameters.table(name) for name in TABLES}
    assert (logged / "feature_spec.json").is_file()


def test_the_run_holds_pictures_datasets_trials_and_what_mlflow_logs_by_itself(
    registry: MlflowClient, ran: Ran
) -> None:
    version = registry.get_model_version(ran.parameters.model, "1")
    run = registry.get_run(version.run_id or "")
    found = {file.path for file in registry.list_artifacts(run.info.run_id)}
    assert {"shap_summary.png", "reliability.png"} <= found
    assert run.inputs is not None
    read = {given.dataset.name for given in run.inputs.dataset_inputs}
    assert set(map(ran.parameters.table, TABLES)) <= read
    assert run.data.metrics["validation_auc"] > 0.6
    assert run.data.params["objective"] == "binary"  # autolog's
    trials = registry.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    )
    assert len(trials) == int(ran.parameters.trials)
    assert all("objective" in trial.data.metrics for trial in trials)
    assert "differs" not in version.tags["requirements_lock"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE {flights} SET arr_delay = 0", "'late' is 0.0 in every one of"),
        ("UPDATE {flights} SET arr_delay = NULL", "no row to learn 'late' from"),
        ("DROP TABLE {weather_features}", r"no table named '.*weather_features'"),
        ("DROP TABLE {flights}", r"no table named '.*flights'"),
    ],
)
def test_what_cannot_be_learned_from_leaves_no_run_and_no_version(
    ran: Ran, spark: SparkSession, schema: str, change: str, message: str
) -> None:
    import mlflow

    catalog, _, name = schema.partition(".")
    run = replace(ran.parameters, catalog=catalog, schema=name, experiment=f"/Shared/{name}")
    restore(spark, dict.fromkeys(map(ran.parameters.table, TABLES), 0), schema=schema)
    spark.sql(change.format(**{n: run.table(n) for n in ("flights", "weather_features")}))
    with pytest.raises((ValueError, NotFound), match=message):
        train(spark, run)
    client = mlflow.MlflowClient()
    assert client.get_experiment_by_name(run.experiment) is None
    assert not any(model.name == run.model for model in client.search_registered_models())


def test_the_notebook_trains_a_challenger(
    ran: Ran,
    ws: WorkspaceClient,
    run_job: Callable[[str, Mapping[str, str]], Run],
    spark: SparkSession,
    schema: str,
) -> None:
    catalog, _, name = schema.partition(".")
    restore(spark, dict.fromkeys(map(ran.parameters.table, TABLES), 0), schema=schema)
    asked = {"catalog": catalog, "schema": name, "experiment": f"/Shared/{name}"}
    few = {"train_through": "2013-02", "trials": "1"}
    done = run_job("training", asked | few)
    assert done.state is not None
    assert done.state.result_state is RunResultState.SUCCESS, done.state
    (task,) = done.tasks or []
    output = ws.jobs.get_run_output(task.run_id or 0).notebook_output
    assert output is not None
    assert output.result == "1"


@pytest.mark.parametrize("version", ["1", "2"])
def test_each_version_was_trained_again_bit_for_bit_and_says_so(
    ran: Ran, spark: SparkSession, registry: MlflowClient, version: str
) -> None:
    told = registry.get_model_version(ran.parameters.model, version).tags
    assert told["reproduced"] == "identical"
    asked = spark.table(ran.parameters.table("model_evaluations")).where(
        f"gate = 'reproducible' AND version = '{version}'"
    )
    assert [row["reason"] for row in asked.collect()] == ["trained again, every byte was the same"]


def test_a_version_of_another_commit_is_left_to_who_can_check_it_out(
    ran: Ran, spark: SparkSession, registry: MlflowClient
) -> None:
    asked = {"model": ran.parameters.model, "version": "1", "commit": "0" * 40}
    with pytest.raises(LaketopError, match=f"and '{'0' * 40}' runs here: laketop ml reproduce"):
        reproduce(spark, registry, **asked)

"""What a version carries: card, lock, recipe, pictures, trials; and that it can be made again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Ran
    from mlflow.tracking import MlflowClient

PROJECT = Path(__file__).parents[2]


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
    assert set(recipe["inputs"]) == {
        ran.parameters.table(name) for name in ("flights", "weather_features", "delay_features")
    }
    assert (logged / "feature_spec.json").is_file()


def test_the_run_holds_pictures_datasets_trials_and_what_mlflow_logs_by_itself(
    registry: MlflowClient, ran: Ran
) -> None:
    version = registry.get_model_version(ran.parameters.model, "1")
    run = registry.get_run(version.run_id)
    found = {file.path for file in registry.list_artifacts(run.info.run_id)}
    assert {"shap_summary.png", "reliability.png"} <= found
    assert len(run.inputs.dataset_inputs) == 3
    assert run.data.metrics["validation_auc"] > 0.6
    assert run.data.params["objective"] == "binary"  # autolog's
    trials = registry.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    )
    assert len(trials) == int(ran.parameters.trials)
    assert all("objective" in trial.data.metrics for trial in trials)
    assert "differs" not in version.tags["requirements_lock"]


def test_the_version_is_reproduced_bit_for_bit(ran: Ran) -> None:
    told = subprocess.run(
        [
            *(sys.executable, "-m", "laketop.cli", "ml", "reproduce"),
            *(ran.parameters.model, "1", "--project", str(PROJECT), "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)["identical"] is True

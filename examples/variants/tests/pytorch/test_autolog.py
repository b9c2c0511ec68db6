"""Autolog of PyTorch into a workspace that laketop serves. Runs in `nox -s pytorch`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import mlflow.pytorch
import pytest
import torch
from mlflow import MlflowClient
from torch.utils.data import DataLoader, TensorDataset

# The environment of PyTorch has neither a server nor Spark: the workspace runs in laketop's own.
LAKETOP_PYTHON = os.environ["LAKETOP_PYTHON"]
BUNDLE = "bundle: {name: autolog}\ntargets: {dev: {default: true}}\n"


def _laketop(project: Path, *words: str) -> str:
    order = (str(Path(LAKETOP_PYTHON).with_name("laketop")), *words)
    return subprocess.run(order, cwd=project, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "databricks.yml").write_text(BUNDLE, encoding="utf-8")
    _laketop(tmp_path, "up", "--json")
    try:
        told = json.loads(_laketop(tmp_path, "env", "--json"))
        for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
            monkeypatch.setenv(name, told[name])
        mlflow.set_tracking_uri("databricks")
        yield
    finally:
        _laketop(tmp_path, "down")


class Line(lightning.LightningModule):  # type: ignore[misc]  # which has no types
    """Finds the slope of a line."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = torch.nn.Linear(1, 1)

    def training_step(self, batch: Any, _number: int) -> Any:
        rows, wanted = batch
        loss = torch.nn.functional.mse_loss(self.slope(rows), wanted)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("default")  # what these packages warn of each other
@pytest.mark.usefixtures("tracked")
def test_autolog_keeps_parameters_each_epoch_and_the_summary(tmp_path: Path) -> None:
    experiment = mlflow.set_experiment("/Shared/torch").experiment_id
    mlflow.pytorch.autolog(log_models=False, silent=True)
    rows = torch.linspace(0, 1, 16).reshape(-1, 1)
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        default_root_dir=str(tmp_path),
    )
    trainer.fit(Line(), DataLoader(TensorDataset(rows, 2 * rows), batch_size=8))

    client = MlflowClient()
    [run] = client.search_runs([experiment])
    assert run.info.status == "FINISHED"
    assert (run.data.params["optimizer_name"], run.data.params["epochs"]) == ("SGD", "3")
    history = client.get_metric_history(run.info.run_id, "train_loss")
    assert len(history) == 3
    assert history[-1].value < history[0].value
    assert "model_summary.txt" in [one.path for one in client.list_artifacts(run.info.run_id)]

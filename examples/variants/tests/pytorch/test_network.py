"""The network: learns, repeats bit for bit on the CPU, and is logged. Runs in `nox -s pytorch`."""

from __future__ import annotations

from pathlib import Path

import mlflow.pytorch
import numpy as np
import pandas as pd
import pytest
import torch

from variants import network

ON_CPU = network.device().type == "cpu"


def drawn(size: int = 1500) -> tuple[pd.DataFrame, pd.Series[float]]:
    random = np.random.default_rng(5)
    rows = pd.DataFrame({name: random.normal(50, 20, size) for name in ("wind", "delay")})
    circle = ((rows - 50) ** 2).sum(axis=1) < 600
    return rows, circle.astype(float)


def predicted(
    model: torch.nn.Module, rows: pd.DataFrame
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    with torch.no_grad():
        found = model(torch.tensor(rows.to_numpy(dtype="float32"))).numpy()
    return np.asarray(found, dtype=np.float32).ravel()


def test_it_learns_what_no_straight_line_can() -> None:
    rows, label = drawn()
    found = predicted(network.fitted(rows, label), rows)
    assert ((found > 0.5) == (label == 1)).mean() > 0.9


@pytest.mark.skipif(not ON_CPU, reason="CUDA promises no bits")
def test_the_same_seed_gives_the_same_bits() -> None:
    rows, label = drawn(300)
    first, again, other = (
        predicted(network.fitted(rows, label, seed=seed), rows) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_null_is_an_error() -> None:
    with pytest.raises(ValueError, match="hold nulls"):
        network.fitted(pd.DataFrame({"x": [1.0, np.nan]}), pd.Series([0.0, 1.0]))


@pytest.mark.filterwarnings("default")  # MLflow warns of the format
def test_it_is_logged_and_loaded_with_its_own_flavor(tmp_path: Path) -> None:
    rows, label = drawn(300)
    model = network.fitted(rows, label)
    # As Databricks' own default has it; the other format wants an example of the input.
    saving = {"serialization_format": "pickle", "pip_requirements": ["torch"]}
    mlflow.pytorch.save_model(model, str(tmp_path / "m"), **saving)
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    found = np.asarray(loaded.predict(rows.to_numpy(dtype="float32"))).ravel()
    assert np.array_equal(found, predicted(model, rows))

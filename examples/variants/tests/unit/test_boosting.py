"""XGBoost: learns, repeats, explains itself, survives what it has not seen, and is logged."""

from __future__ import annotations

from pathlib import Path

import mlflow.xgboost
import numpy as np
import pandas as pd
import pytest

from laketop.ml import auc, shap_values
from variants import boosting

TEXTS = ("carrier",)


def drawn(size: int = 600) -> tuple[pd.DataFrame, pd.Series[float]]:
    random = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "carrier": random.choice(["AA", "UA", "DL"], size),
            "delay": np.where(random.random(size) < 0.1, np.nan, random.normal(size=size)),
        }
    )
    score = rows["delay"].fillna(0) + 1.0 * (rows["carrier"] == "UA")
    return rows, (score + random.normal(size=size) > 0.5).astype(float)


def test_it_learns_and_repeats() -> None:
    rows, label = drawn()
    inputs = boosting.coded(rows, boosting.categories(rows, TEXTS))
    first, second = (
        boosting.probabilities(boosting.fitted(inputs, label), inputs) for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert auc(label.to_numpy(), first) > 0.8
    assert ((first > 0) & (first < 1)).all()


def test_an_unseen_text_is_missing_and_no_error() -> None:
    rows, label = drawn()
    known = boosting.categories(rows, TEXTS)
    model = boosting.fitted(boosting.coded(rows, known), label)
    strange = boosting.coded(pd.DataFrame({"carrier": ["??"], "delay": [np.nan]}), known)
    assert strange["carrier"].isna().all()
    assert 0 < boosting.probabilities(model, strange)[0] < 1


def test_it_explains_itself() -> None:
    rows, label = drawn()
    numbers = rows[["delay"]]
    model = boosting.fitted(numbers, label)
    odds = shap_values(model, numbers).sum(axis=1)
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(model.predict(numbers), abs=1e-4)


@pytest.mark.filterwarnings("default")  # MLflow and XGBoost warn of each other
def test_it_is_logged_and_loaded_with_its_own_flavor(tmp_path: Path) -> None:
    rows, label = drawn()
    model = boosting.fitted(rows[["delay"]], label)
    mlflow.xgboost.save_model(model, str(tmp_path / "m"), pip_requirements=["xgboost-cpu"])
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    assert np.array_equal(loaded.predict(rows[["delay"]]), model.predict(rows[["delay"]]))

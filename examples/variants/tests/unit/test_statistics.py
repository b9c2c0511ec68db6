"""Logistic regression: odds ratios that are known, intervals that allow for clusters."""

from __future__ import annotations

from pathlib import Path

import mlflow.statsmodels
import numpy as np
import pandas as pd
import pytest

from variants import statistics


def drawn(days: int = 200, a_day: int = 20) -> tuple[pd.DataFrame, pd.Series[float]]:
    random = np.random.default_rng(4)
    rows = pd.DataFrame({"day": np.repeat(range(days), a_day)})
    rows["wind"] = np.repeat(random.normal(size=days), a_day)
    rows["distance"] = random.normal(size=len(rows))
    weather = np.repeat(random.normal(scale=0.8, size=days), a_day)
    chance = 1 / (1 + np.exp(-(-1 + np.log(2) * rows["wind"] + weather)))
    return rows, (random.random(len(rows)) < chance).astype(float)


def test_it_finds_the_odds_that_the_rows_were_drawn_with() -> None:
    rows, label = drawn()
    inputs = statistics.design(rows, ["wind", "distance"])
    found = statistics.odds_ratios(statistics.fitted(inputs, label, cluster=rows["day"]))
    ratios = found.to_dict("index")
    assert ratios["wind"]["low"] < 2 < ratios["wind"]["high"]
    assert ratios["distance"]["low"] < 1 < ratios["distance"]["high"]
    assert ratios["wind"]["p_value"] < 0.001


def test_rows_of_one_day_are_worth_less_than_rows_of_many() -> None:
    rows, label = drawn()
    inputs = statistics.design(rows, ["wind"])
    by_day = statistics.fitted(inputs, label, cluster=rows["day"])
    by_row = statistics.fitted(inputs, label, cluster=range(len(rows)))
    assert by_day.params["wind"] == pytest.approx(by_row.params["wind"])
    assert by_day.bse["wind"] > 1.5 * by_row.bse["wind"]


def test_a_null_is_an_error_that_names_the_column() -> None:
    with pytest.raises(ValueError, match=r"\['wind'\] hold nulls"):
        statistics.design(pd.DataFrame({"wind": [1.0, None]}), ["wind"])


@pytest.mark.filterwarnings("default")  # MLflow and statsmodels warn of each other
def test_it_is_logged_and_loaded_with_its_own_flavor(tmp_path: Path) -> None:
    rows, label = drawn(days=20)
    inputs = statistics.design(rows, ["wind"])
    model = statistics.fitted(inputs, label, cluster=rows["day"])
    mlflow.statsmodels.save_model(model, str(tmp_path / "m"), pip_requirements=["statsmodels"])
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    assert np.asarray(loaded.predict(inputs)) == pytest.approx(np.asarray(model.predict(inputs)))

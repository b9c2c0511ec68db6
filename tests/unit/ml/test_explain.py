"""SHAP values sum to the prediction, and the picture shows what matters on top."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from xgboost import XGBRegressor

from laketop.ml import shap_summary, shap_values

DRAWN = np.random.default_rng(2)
X = pd.DataFrame({name: DRAWN.normal(size=300) for name in ("small", "nothing", "great")})
Y = 0.5 * X["small"] + 5 * X["great"]


@pytest.mark.parametrize(
    "model",
    [LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1), XGBRegressor(n_estimators=20, n_jobs=1)],
)
def test_each_row_sums_to_its_prediction(model: LGBMRegressor | XGBRegressor) -> None:
    values = shap_values(model.fit(X, Y), X)
    assert values.shape == (300, 4)
    assert values.sum(axis=1) == pytest.approx(model.predict(X), abs=1e-4)


def test_the_greatest_is_on_top_and_the_least_is_left_out() -> None:
    values = shap_values(LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1).fit(X, Y), X)
    names = [text.get_text() for text in shap_summary(values, X, most=2).axes[0].get_yticklabels()]
    assert names == ["small", "great"]


def test_texts_and_nulls_are_drawn_too() -> None:
    rows = pd.DataFrame({"carrier": ["AA", None, "UA"], "temp": [1.0, np.nan, 3.0]})
    assert shap_summary(np.ones((3, 2)), rows).axes


def test_a_model_without_trees_is_named() -> None:
    with pytest.raises(TypeError, match="no SHAP values of 'object'"):
        shap_values(object(), X)


def test_values_of_other_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        shap_summary(np.ones((2, 3)), X)

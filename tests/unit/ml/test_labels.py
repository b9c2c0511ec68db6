"""Labels that can be learned from, and those that cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from laketop.ml import checked_label, prior_corrected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, None, 1.0], "'late' is null in 1 of 3"),
        ([1.0, 1.0], "'late' is 1.0 in every one of 2 rows"),
        ([0.0, 1.0, 2.0], r"holds \[0.0, 1.0, 2.0\], expected 0 and 1"),
        ([], "no row to learn 'late' from"),
    ],
)
def test_a_label_that_teaches_nothing_is_an_error(values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_label(pd.DataFrame({"late": pd.Series(values, dtype=float)}), "late")


def test_a_missing_label_is_named() -> None:
    with pytest.raises(ValueError, match="no label column 'late'"):
        checked_label(pd.DataFrame({"x": [1]}), "late")


def test_too_few_rows_of_the_rarer_class_are_an_error() -> None:
    rows = pd.DataFrame({"late": [1, 0, 0, 0]})
    assert checked_label(rows, "late").share == 0.25
    with pytest.raises(ValueError, match="1 rows of its rarer class, wanted 2"):
        checked_label(rows, "late", least=2)


def test_a_weighted_model_gets_its_prior_back() -> None:
    """Weights on the rare class move every probability; corrected, their mean is the share."""
    from sklearn.linear_model import LogisticRegression

    drawn = np.random.default_rng(3)
    x = drawn.normal(size=(20_000, 1))
    y = (drawn.random(20_000) < 1 / (1 + np.exp(3 - x[:, 0]))).astype(int)
    balance = checked_label(pd.DataFrame({"y": y}), "y")
    weights = np.where(y == 1, balance.weight, 1.0)
    weighted = LogisticRegression().fit(x, y, sample_weight=weights).predict_proba(x)[:, 1]
    assert weighted.mean() > 3 * balance.share
    corrected = prior_corrected(weighted, weight=balance.weight)
    assert corrected.mean() == pytest.approx(balance.share, rel=0.02)


def test_a_weight_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="weight is 0"):
        prior_corrected([0.5], weight=0)

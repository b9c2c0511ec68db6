"""Intervals of an AUC."""

from __future__ import annotations

import numpy as np
import pytest

from laketop.ml import (
    auc,
    auc_difference,
    auc_interval,
    delong_difference,
    delong_interval,
)


def scores(seed: int = 1, size: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed)
    labels = (drawn.random(size) < 0.3).astype(float)
    shared = drawn.normal(size=size)
    return labels, labels + shared, 0.6 * labels + shared + 0.5 * drawn.normal(size=size)


def test_delong_agrees_with_its_definition_pair_by_pair() -> None:
    labels, first, second = scores(size=80)
    positive, negative = labels == 1, labels == 0

    def kernel(s: np.ndarray) -> np.ndarray:
        ahead = s[positive][:, None] - s[negative][None, :]
        return np.asarray((ahead > 0) + (ahead == 0) / 2, dtype=float)

    apart = kernel(first) - kernel(second)
    variance = apart.mean(axis=1).var(ddof=1) / positive.sum()
    variance += apart.mean(axis=0).var(ddof=1) / negative.sum()
    low, measured, high = delong_difference(labels, first, second)
    assert measured == pytest.approx(apart.mean())
    assert high - low == pytest.approx(2 * 1.959963984540054 * variance**0.5)


def test_delong_and_the_bootstrap_agree() -> None:
    labels, first, second = scores(size=2000)
    normal = delong_difference(labels, first, second)
    drawn = auc_difference(labels, first, second, rounds=1000)
    assert normal == pytest.approx(drawn, abs=0.003)


def test_delong_of_one_model_measures_its_auc_and_agrees_with_the_bootstrap() -> None:
    labels, first, _ = scores(size=2000)
    normal = delong_interval(labels, first)
    assert normal[1] == pytest.approx(auc(labels, first))
    assert normal == pytest.approx(auc_interval(labels, first, rounds=1000), abs=0.003)


def test_delong_of_a_model_with_itself_is_nothing() -> None:
    labels, first, _ = scores()
    assert delong_difference(labels, first, first) == (0.0, 0.0, 0.0)


def test_delong_wants_two_rows_of_each_label() -> None:
    with pytest.raises(ValueError, match="two rows of both labels"):
        delong_difference(np.array([0, 0, 1]), np.arange(3), np.arange(3))


def test_an_interval_narrows_with_more_rows() -> None:
    few, many = (auc_interval(*scores(size=size)[:2]) for size in (200, 5000))
    assert few[0] < few[1] < few[2]
    assert many[2] - many[0] < few[2] - few[0]

"""The population stability index against figures worked out by hand and by numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from laketop.ml import Refused, psi, refresh


def test_equal_samples_do_not_drift() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    assert psi(values, values) == 0


def test_two_bins_by_hand() -> None:
    expected, actual = [0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]
    by_hand = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    assert psi(expected, actual, bins=2) == pytest.approx(by_hand)


def test_ten_bins_agree_with_a_histogram() -> None:
    drawn = np.random.default_rng(2)
    expected, actual = drawn.normal(size=5000), drawn.normal(0.5, 1.5, size=3000)
    edges = [-np.inf, *np.quantile(expected, np.arange(1, 10) / 10), np.inf]
    p = np.histogram(expected, edges)[0] / expected.size
    q = np.histogram(actual, edges)[0] / actual.size
    assert psi(expected, actual) == pytest.approx(np.sum((q - p) * np.log(q / p)), rel=1e-3)


def test_nulls_are_a_bin_of_their_own() -> None:
    full, half = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, math.nan, math.nan]
    assert psi(full, half) > 1
    assert psi(half, half) == 0


def test_a_column_of_nulls_can_be_compared() -> None:
    assert psi([math.nan], [math.nan]) == 0
    assert psi([math.nan], [1.0]) > 10


@pytest.mark.parametrize(("expected", "actual", "bins"), [([], [1.0], 2), ([1.0], [], 2)])
def test_empty_samples_are_an_error(expected: list[float], actual: list[float], bins: int) -> None:
    with pytest.raises(ValueError, match="rows on both sides"):
        psi(expected, actual, bins)


def test_one_bin_is_an_error() -> None:
    with pytest.raises(ValueError, match="bins is 1"):
        psi([1.0], [1.0], 1)


def test_an_unknown_granularity_is_refused_before_anything_is_read() -> None:
    nothing: object = None
    with pytest.raises(Refused, match="granularity '3 days'"):
        refresh(
            nothing,  # type: ignore[arg-type]  # refused first
            df=nothing,  # type: ignore[arg-type]  # refused first
            table="t",
            timestamp_col="at",
            prediction_col="p",
            label_col="y",
            granularity="3 days",
        )

"""Laws of the AUC and of the population stability index."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.ml import auc, auc_difference, psi

SCORES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-20, 20)), min_size=2, max_size=60
).filter(lambda rows: len({label for label, _ in rows}) == 2)
SAMPLES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


def columns(rows: list[tuple[int, int]]) -> tuple[list[float], list[float]]:
    return [float(label) for label, _ in rows], [float(score) for _, score in rows]


@given(SCORES)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[int, int]]) -> None:
    labels, scores = columns(rows)
    late = [s for y, s in zip(labels, scores, strict=True) if y]
    punctual = [s for y, s in zip(labels, scores, strict=True) if not y]
    won = sum((a > b) + (a == b) / 2 for a in late for b in punctual)
    assert abs(auc(labels, scores) - won / (len(late) * len(punctual))) < 1e-12


@given(SCORES)
def test_auc_of_the_opposite_is_the_rest(rows: list[tuple[int, int]]) -> None:
    labels, scores = columns(rows)
    assert abs(auc(labels, scores) + auc(labels, [-s for s in scores]) - 1) < 1e-12


@given(SCORES)
def test_auc_knows_only_the_order(rows: list[tuple[int, int]]) -> None:
    labels, scores = columns(rows)
    assert auc(labels, scores) == auc(labels, [3 * s**3 + s for s in scores])


@settings(max_examples=25)
@given(SCORES, st.integers(0, 5))
def test_swapping_the_models_turns_the_interval_round(
    rows: list[tuple[int, int]], seed: int
) -> None:
    labels, scores = (np.array(column) for column in columns(rows))
    other = np.roll(scores, 1)
    low, measured, high = auc_difference(labels, scores, other, rounds=20, seed=seed)
    back = auc_difference(labels, other, scores, rounds=20, seed=seed)
    assert np.allclose(back, (-high, -measured, -low))
    assert low <= high


@given(SAMPLES, SAMPLES)
def test_psi_is_never_negative(expected: list[float], actual: list[float]) -> None:
    assert psi(expected, actual) >= 0


@given(SAMPLES)
def test_psi_of_a_sample_with_itself_is_nothing(sample: list[float]) -> None:
    assert psi(sample, sample) == 0

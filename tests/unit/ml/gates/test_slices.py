"""One limit for every slice: what both directions have in common, and how they are turned."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.ml import Measure
from laketop.ml.gates.slices import SliceLimit

FIGURES = st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 3).map(sorted), min_size=1, max_size=6)


def measures(figures: list[list[float]]) -> list[Measure]:
    return [
        Measure(metric="m", slice=f"s = {place}", measured=found, low=low, high=high)
        for place, (low, found, high) in enumerate(figures)
    ]


def limit_of(limit: float, wanted: str) -> SliceLimit:
    return SliceLimit(gate="g", limit=limit, wanted=wanted, told=lambda m: m.slice)  # type: ignore[arg-type]  # one of both


@given(FIGURES, st.floats(-1e6, 1e6))
def test_turned_round_one_direction_is_the_other(figures: list[list[float]], limit: float) -> None:
    least = limit_of(limit, "at least").judged(measures(figures), skipped=0, least="")
    turned = [[-high, -found, -low] for low, found, high in figures]
    most = limit_of(-limit, "at most").judged(measures(turned), skipped=0, least="")
    assert (most.passed, most.reason) == (least.passed, least.reason)
    assert least.measured is not None
    assert most.measured == -least.measured


@given(FIGURES, st.floats(-1e6, 1e6))
def test_it_passes_when_no_slice_lies_wholly_beyond(
    figures: list[list[float]], limit: float
) -> None:
    verdict = limit_of(limit, "at least").judged(measures(figures), skipped=0, least="")
    assert verdict.passed == all(high >= limit for _, _, high in figures)
    assert verdict.measured == min(high for _, _, high in figures)


@pytest.mark.parametrize("wanted", ["at least", "at most"])
def test_what_was_not_measured_or_is_no_number_does_not_pass(wanted: str) -> None:
    bound = limit_of(0.5, wanted)
    nothing = bound.judged([], skipped=3, least="7 rows")
    assert (nothing.passed, nothing.measured) == (False, None)
    assert nothing.reason == "no slice has 7 rows, so none was measured"
    assert not bound.judged(measures([[math.nan] * 3]), skipped=0, least="").passed


def test_without_an_interval_the_figure_itself_counts() -> None:
    plain = [Measure(metric="m", slice="s", measured=0.4)]
    assert not limit_of(0.5, "at least").judged(plain, skipped=1, least="").passed
    verdict = limit_of(0.5, "at most").judged(plain, skipped=1, least="")
    assert (verdict.passed, verdict.measured) == (True, 0.4)
    assert verdict.reason == "worst of 1 is s; 1 slices are too small to tell"

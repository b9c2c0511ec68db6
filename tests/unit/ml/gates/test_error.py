"""Models of a number: their mean absolute error, and gates that ask for labels of 0 and 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from laketop.ml import (
    Contender,
    LabelledRows,
    calibrated,
    evaluate,
    fairness,
    maximum_error,
    maximum_slice_error,
    minimum_auc,
    minimum_slice_auc,
    no_larger_error_than_champion,
    no_leak,
    no_worse_than_champion,
    repeatable,
)
from laketop.ml.gates import mean_interval


def off_by(spread: float) -> Contender:
    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(frame["x"] + spread * frame["noise"], dtype=float)

    inputs = {"x": "double", "noise": "double"}
    return Contender(name="m", version=f"off by {spread}", predict=predict, inputs=inputs)


@pytest.fixture(scope="module")
def delays() -> LabelledRows:
    drawn = np.random.default_rng(4)
    x = drawn.normal(20, 30, 2000)
    frame = pd.DataFrame({"x": x, "noise": drawn.normal(size=2000), "origin": "JFK"})
    frame["arr_delay"] = x + 10 * drawn.normal(size=2000)
    return LabelledRows(frame, label="arr_delay", name="June", problem="regression")


def test_the_interval_is_that_of_scipys_bootstrap() -> None:
    values = np.random.default_rng(2).exponential(size=400)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    low, mean, high = mean_interval(values, rounds=4000)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert mean == values.mean()


def test_an_error_passes_up_to_the_high_end_of_its_interval(delays: LabelledRows) -> None:
    verdict = maximum_error(9.0)(off_by(0), None, delays)
    (measure,) = verdict.measures
    assert verdict.passed
    assert measure.measured == pytest.approx(10 * (2 / np.pi) ** 0.5, rel=0.05)
    assert measure.low is not None
    assert measure.low < measure.measured < (verdict.measured or 0)
    assert not maximum_error(measure.measured)(off_by(0), None, delays).passed


def test_a_slice_whose_error_is_surely_larger_fails_by_name() -> None:
    n = 1000
    frame = pd.DataFrame({"origin": np.where(np.arange(n) % 4 == 0, "LGA", "JFK")})
    frame.loc[:4, "origin"] = "EWR"
    noise = np.random.default_rng(3).normal(size=n)
    frame["x"] = noise * np.where(frame["origin"] == "LGA", 9.0, 1.0)
    frame["y"] = 0.0
    frame.loc[0, "y"] = 0.1
    rows = LabelledRows(frame, label="y", name="r", problem="regression")
    candidate = Contender(name="m", version="1", predict=lambda f: np.asarray(f["x"], dtype=float))
    told = maximum_slice_error(["origin"], 2.0)(candidate, None, rows)
    assert not told.passed
    assert told.reason.startswith("origin = 'LGA': ")
    assert told.reason.endswith("; 1 slices are too small to tell")
    assert {measure.slice for measure in told.measures} == {"origin = 'LGA'", "origin = 'JFK'"}
    assert maximum_error(5.0)(candidate, None, rows).passed
    assert maximum_slice_error(["origin"], 9.0)(candidate, None, rows).passed
    assert not maximum_slice_error(["origin"], 9.0, least_rows=2000)(candidate, None, rows).passed


@pytest.mark.parametrize(("candidate", "champion", "passes"), [(0, 9, True), (9, 0, False)])
def test_both_are_compared_on_the_same_rows(
    delays: LabelledRows, candidate: float, champion: float, passes: bool
) -> None:
    gate = no_larger_error_than_champion(0.1)
    verdict = gate(off_by(candidate), off_by(champion), delays)
    assert verdict.passed is passes
    assert f"against version off by {champion} on 2000 rows of June" in verdict.reason
    assert gate(off_by(0), None, delays).passed


def test_gates_of_two_classes_say_that_these_are_numbers(delays: LabelledRows) -> None:
    gates = [
        *(minimum_auc(0.5), minimum_slice_auc(["origin"], 0.5), calibrated(0.1)),
        *(no_worse_than_champion(), fairness("origin", limit=0.1)),
    ]
    for verdict in evaluate(off_by(0), off_by(1), delays, gates):
        assert not verdict.passed
        assert "hold numbers, and this asks for labels 0 and 1" in verdict.reason, verdict


def test_other_gates_take_numbers_and_an_input_that_holds_the_answer_leaks(
    delays: LabelledRows,
) -> None:
    assert repeatable()(off_by(0), None, delays).passed
    assert no_leak(largest_single_auc=0.99)(off_by(0), None, delays).passed
    told = no_leak(largest_single_auc=0.9)(off_by(0), None, delays)
    assert not told.passed
    assert "'x' alone has a rank correlation of 0.9" in told.reason


@pytest.mark.parametrize("label", [[1.0, float("inf")], [3.0, 3.0]])
def test_numbers_that_teach_nothing_are_errors(label: list[float]) -> None:
    with pytest.raises(ValueError, match="the label 'y' of the rows 'r'"):
        LabelledRows(pd.DataFrame({"y": label}), label="y", name="r", problem="regression")

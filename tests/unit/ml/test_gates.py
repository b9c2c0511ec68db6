"""Gates measure what they say, and pass or fail at their limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from laketop.ml import (
    Contender,
    LabelledRows,
    approval,
    auc,
    auc_difference,
    compliance_tags,
    inference_time,
    minimum_auc,
    no_worse_than_champion,
    signature,
)


def rows(size: int = 2000) -> LabelledRows:
    drawn = np.random.default_rng(3)
    x = drawn.normal(size=size)
    late = (x + drawn.normal(size=size) > 0).astype(float)
    frame = pd.DataFrame({"x": x, "noise": drawn.normal(size=size), "late": late, "city": "NYC"})
    return LabelledRows(frame, label="late", name="2013-04")


def contender(
    *, version: str = "1", noise: float = 0.0, tags: dict[str, str] | None = None
) -> Contender:
    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(frame["x"] + noise * frame["noise"], dtype=float)

    return Contender(
        name="m", version=version, predict=predict, inputs={"x": "double"}, tags=tags or {}
    )


def test_auc_of_ties_counts_one_half() -> None:
    assert auc([0, 1], [0.5, 0.5]) == 0.5


@pytest.mark.parametrize("digits", [1, 2, 6])
def test_auc_agrees_with_scikit_learn(digits: int) -> None:
    drawn = np.random.default_rng(digits)
    labels = drawn.integers(0, 2, 500).astype(float)
    scores = (labels + drawn.normal(size=500)).round(digits)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


@pytest.mark.parametrize("labels", [[], [1.0, 1.0], [0.0]])
def test_auc_of_one_label_is_an_error(labels: list[float]) -> None:
    with pytest.raises(ValueError, match="both labels"):
        auc(labels, [0.5] * len(labels))


def test_auc_of_unequal_lengths_is_an_error() -> None:
    with pytest.raises(ValueError, match="do not match"):
        auc([0, 1], [0.5])


def test_the_difference_of_a_model_with_itself_is_nothing() -> None:
    data = rows()
    scores = data.scores(contender())
    assert auc_difference(data.labels, scores, scores) == (0.0, 0.0, 0.0)


def test_the_interval_holds_the_measured_difference_and_repeats() -> None:
    data = rows()
    good, bad = data.scores(contender()), data.scores(contender(version="2", noise=1.0))
    low, measured, high = auc_difference(data.labels, good, bad, seed=7)
    assert 0 < low < measured < high
    assert (low, measured, high) == auc_difference(data.labels, good, bad, seed=7)


def test_minimum_auc_passes_at_its_limit_and_not_above() -> None:
    data = rows()
    reached = auc(data.labels, data.scores(contender()))
    assert minimum_auc(reached)(contender(), None, data).passed
    assert not minimum_auc(reached + 1e-9)(contender(), None, data).passed


def test_without_a_champion_nothing_is_worse() -> None:
    verdict = no_worse_than_champion()(contender(), None, rows())
    assert verdict.passed
    assert verdict.measured is None


def test_a_worse_candidate_does_not_pass_and_a_better_one_does() -> None:
    good, bad = contender(), contender(version="2", noise=1.0)
    gate = no_worse_than_champion(rounds=50)
    assert not gate(bad, good, rows()).passed
    assert gate(good, bad, rows()).passed


def test_a_draw_passes_only_with_a_margin() -> None:
    good, alike = contender(), contender(version="2", noise=0.05)
    assert not no_worse_than_champion(0.0, rounds=50)(alike, good, rows()).passed
    assert no_worse_than_champion(0.02, rounds=50)(alike, good, rows()).passed


def test_inference_time_is_measured_against_its_limit() -> None:
    assert inference_time(10_000)(contender(), None, rows()).passed
    assert not inference_time(0)(contender(), None, rows()).passed


def test_signature_names_what_is_missing_and_what_is_of_another_type() -> None:
    candidate = Contender(
        name="m",
        version="1",
        predict=lambda frame: frame["x"].to_numpy(),
        inputs={"gone": "double", "city": "double", "x": "double"},
    )
    verdict = signature()(candidate, None, rows())
    assert not verdict.passed
    assert verdict.measured == 2
    assert "'gone' is not in the rows" in verdict.reason
    assert "'city' is object" in verdict.reason


def test_a_model_without_signature_does_not_pass() -> None:
    bare = Contender(name="m", version="1", predict=lambda frame: frame["x"].to_numpy())
    assert not signature()(bare, None, rows()).passed


def test_compliance_tags_must_match_as_a_whole() -> None:
    gate = compliance_tags({"owner": "[a-z]+", "personal_data": "none"})
    assert gate(contender(tags={"owner": "ann", "personal_data": "none"}), None, rows()).passed
    verdict = gate(contender(tags={"owner": "ann2"}), None, rows())
    assert not verdict.passed
    assert verdict.reason == "'owner' is 'ann2'; 'personal_data' is None"


@pytest.mark.parametrize("by", [None, "", "  "])
def test_approval_by_nobody_is_pending(by: str | None) -> None:
    verdict = approval(by)(contender(), None, rows())
    assert not verdict.passed
    assert verdict.pending


def test_approval_names_who() -> None:
    assert approval("ann")(contender(), None, rows()).reason == "approved by ann"


def test_a_prediction_that_is_no_number_is_an_error() -> None:
    broken = Contender(name="m", version="1", predict=lambda frame: frame["x"].to_numpy() * np.nan)
    with pytest.raises(ValueError, match="2000 of them no finite number"):
        rows().scores(broken)


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ([0.0, None, None], r"the label 'late' of the rows 'r' is null in 2 rows"),
        ([1.0, 1.0, 1.0], r"the label 'late' of the rows 'r' is 1 in all"),
    ],
)
def test_a_label_that_is_null_or_constant_is_refused(label: list[float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        LabelledRows(pd.DataFrame({"late": label}), label="late", name="r")


def test_labels_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(ValueError, match="must be 0 or 1"):
        LabelledRows(pd.DataFrame({"late": [0.0, 2.0]}), label="late", name="r")
    with pytest.raises(ValueError, match="lack the label"):
        LabelledRows(pd.DataFrame({"x": [0.0]}), label="late", name="r")


def test_a_model_is_asked_once_for_the_same_rows() -> None:
    asked = []

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        asked.append(len(frame))
        return frame["x"].to_numpy()

    data = rows()
    once = Contender(name="m", version="1", predict=predict)
    data.scores(once)
    data.scores(once)
    assert len(asked) == 1

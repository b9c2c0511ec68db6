"""Groups that are treated alike, and those that are not."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from laketop.ml import Contender, LabelledRows, fairness
from laketop.ml.gates.fairness import Criterion

GROUPS = ["a"] * 100 + ["b"] * 100
LABELS = ([1.0] * 40 + [0.0] * 60) * 2
# a: 30 of 40 and 6 of 60 predicted positive; b: 20 of 40 and 12 of 60
SCORES = [1.0] * 30 + [0.0] * 10 + [1.0] * 6 + [0.0] * 54
SCORES += [1.0] * 20 + [0.0] * 20 + [1.0] * 12 + [0.0] * 48
EXPECTED = {
    "statistical_parity": 0.36 - 0.32,
    "equal_opportunity": 0.75 - 0.5,
    "predictive_equality": 0.2 - 0.1,
    "predictive_parity": 30 / 36 - 20 / 32,
}


def data() -> tuple[Contender, LabelledRows]:
    frame = pd.DataFrame({"group": GROUPS, "score": SCORES, "y": LABELS})
    told = Contender(name="m", version="1", predict=lambda f: f["score"].to_numpy())
    return told, LabelledRows(frame, label="y", name="r")


@pytest.mark.parametrize("criterion", get_args(Criterion))
def test_the_gap_is_counted_by_hand(criterion: Criterion) -> None:
    candidate, rows = data()
    gate = fairness("group", limit=0.15, criterion=criterion, least_rows=10)
    verdict = gate(candidate, None, rows)
    assert verdict.measured == pytest.approx(EXPECTED[criterion])
    assert verdict.passed == (EXPECTED[criterion] <= 0.15)
    assert criterion in verdict.reason


def test_with_one_group_there_is_nothing_to_compare() -> None:
    candidate, rows = data()
    verdict = fairness("group", limit=1.0, least_rows=1000)(candidate, None, rows)
    assert not verdict.passed
    assert "two are needed" in verdict.reason


def test_the_threshold_decides_what_is_positive() -> None:
    candidate, rows = data()
    gate = fairness("group", limit=0.0, threshold=2.0, least_rows=10)
    assert gate(candidate, None, rows).measured == np.float64(0)

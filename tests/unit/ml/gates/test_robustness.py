"""Strange rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from laketop.ml import Contender, LabelledRows, robustness


def naive(frame: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(0.5 + frame["delay"] / 100, dtype=float)


def strict(frame: pd.DataFrame) -> NDArray[np.float64]:
    if not frame["carrier"].isin(["AA", "UA"]).all():
        raise KeyError("unknown carrier")
    return np.full(len(frame), 0.5)


def short(frame: pd.DataFrame) -> NDArray[np.float64]:
    return np.full(len(frame.dropna()), 0.5)


@pytest.mark.parametrize(
    ("predict", "told"),
    [
        (naive, ["'delay' null: a score that is no finite number", "'delay' = 1e+12: scores from"]),
        (strict, ["'carrier' null: KeyError", "'carrier' unseen: KeyError"]),
        (short, ["'delay' null: 0 scores for 50 rows"]),
    ],
)
def test_what_fails_is_named(
    predict: Callable[[pd.DataFrame], NDArray[np.float64]],
    told: list[str],
    rows: LabelledRows,
    sound: Contender,
) -> None:
    candidate = dataclasses.replace(sound, version="6" + str(predict), predict=predict)
    verdict = robustness(rows_asked=50)(candidate, None, rows)
    assert not verdict.passed
    assert all(part in verdict.reason for part in told), verdict.reason


def test_integers_are_asked_far_out_and_never_null(rows: LabelledRows) -> None:
    asked: list[pd.DataFrame] = []

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        asked.append(frame)
        return np.full(len(frame), 0.5)

    frame = rows.features.assign(hour=7, late=rows.labels)
    data = LabelledRows(frame, label="late", name="r")
    counting = Contender(name="m", version="1", predict=predict, inputs={"hour": "long"})
    assert robustness()(counting, None, data).passed
    assert {frame["hour"].iloc[0] for frame in asked} == {7, -(2**40), 2**40}
    assert {frame["hour"].dtype.kind for frame in asked} == {"i"}

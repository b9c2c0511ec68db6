"""Strange rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from laketop.ml import Contender, LabelledRows, Verdict, robustness


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


def test_times_and_booleans_are_asked_and_what_is_not_is_named(rows: LabelledRows) -> None:
    frame = rows.features.assign(
        at=pd.Timestamp("2013-07-01"), wet=True, blob=b"x", late=rows.labels
    )
    data = LabelledRows(frame, label="late", name="r")
    inputs = {"at": "datetime", "wet": "boolean", "blob": "binary"}

    def verdict(predict: Callable[[pd.DataFrame], NDArray[np.float64]]) -> Verdict:
        return robustness()(
            Contender(name="m", version=str(predict), predict=predict, inputs=inputs), None, data
        )

    def by_time(frame: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(frame["at"].dt.year / 2200, dtype=float)

    def by_rain(frame: pd.DataFrame) -> NDArray[np.float64]:
        return np.array([0.5 + 0 * int(wet) for wet in frame["wet"]])

    assert verdict(lambda f: np.full(len(f), 0.5)).reason == (
        "4 kinds of strange rows, all answered; not asked: 'blob' (binary)"
    )
    told = verdict(by_time).reason
    assert "'at' null: a score that is no finite number" in told
    assert "'at' 2250-01-01: scores from" in told
    assert verdict(by_rain).reason.startswith("'wet' null: TypeError")

"""Candidates as a careful colleague meets them: the right verdict, for the right reason."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from laketop.ml import (
    Contender,
    Gate,
    LabelledRows,
    documentation,
    evaluate,
    inference_time,
    minimum_auc,
    no_leak,
    no_worse_than_champion,
    outcome,
    repeatable,
    robustness,
    signature,
)


def gates() -> list[Gate]:
    return [
        signature(),
        documentation(),
        minimum_auc(0.6),
        no_worse_than_champion(0.002, rounds=50),
        no_leak(("arr_delay",)),
        robustness(rows_asked=20),
        repeatable(),
        inference_time(20),
    ]


def noisy(candidate: Contender, noise: float, *, version: str) -> Contender:
    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        # Noise that is always the same for the same row.
        spread = np.sin(1e5 * frame["delay"].fillna(0).clip(-9, 9).to_numpy(dtype=float))
        return np.clip(candidate.predict(frame) + noise * spread, 0, 1)

    return dataclasses.replace(candidate, predict=predict, version=version)


def slow(candidate: Contender) -> Contender:
    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        if len(frame) == 1000:
            time.sleep(0.021)
        return candidate.predict(frame)

    return dataclasses.replace(candidate, predict=predict)


def leaking(candidate: Contender) -> Contender:
    return dataclasses.replace(
        candidate,
        predict=lambda f: 1 / (1 + np.exp(-f["arr_delay"].fillna(0).clip(-9, 9).to_numpy())),
        inputs={"arr_delay": "double"},
    )


def badly_documented(candidate: Contender) -> Contender:
    return dataclasses.replace(candidate, tags={"owner": "flights"}, description="")


def broken(candidate: Contender) -> Contender:
    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        raise OSError("model.pkl is truncated")

    return dataclasses.replace(candidate, predict=predict)


@pytest.mark.parametrize(
    ("spoil", "failing", "because"),
    [
        (slow, {"inference_time"}, "ms for 1000 rows"),
        (leaking, {"no_leak"}, "'arr_delay' is known only later"),
        (badly_documented, {"documentation"}, "'intended_use' is None; 'personal_data' is None"),
        (
            broken,
            {
                *("minimum_auc", "no_worse_than_champion", "robustness"),
                *("repeatable", "inference_time"),
            },
            "OSError: model.pkl is truncated",
        ),
    ],
)
def test_a_spoiled_candidate_is_rejected_for_what_is_wrong_with_it(
    spoil: Callable[[Contender], Contender],
    failing: set[str],
    because: str,
    rows: LabelledRows,
    sound: Contender,
) -> None:
    champion = dataclasses.replace(sound, version="1")
    verdicts = evaluate(spoil(sound), champion, _anew(rows), gates())
    assert outcome(verdicts) == "rejected"
    assert {v.gate for v in verdicts if not v.passed} == failing
    assert all(because in v.reason for v in verdicts if not v.passed)


@pytest.mark.parametrize(
    ("of_candidate", "of_champion", "expected"),
    [(0.0, 0.4, "approved"), (0.1, 0.1, "approved"), (0.4, 0.0, "rejected")],
)
def test_better_and_equal_are_approved_and_worse_is_rejected(
    of_candidate: float,
    of_champion: float,
    expected: str,
    rows: LabelledRows,
    sound: Contender,
) -> None:
    candidate = noisy(sound, of_candidate, version="2")
    champion = noisy(sound, of_champion, version="1")
    verdicts = evaluate(candidate, champion, _anew(rows), gates())
    assert outcome(verdicts) == expected, [v for v in verdicts if not v.passed]
    failed = {v.gate: v.reason for v in verdicts if not v.passed}
    assert set(failed) == ({"no_worse_than_champion"} if expected == "rejected" else set())
    assert all("against version 1 on 4000 rows of 2013-04" in why for why in failed.values())


def _anew(rows: LabelledRows) -> LabelledRows:
    return LabelledRows(rows.features.assign(late=rows.labels), label="late", name=rows.name)

"""The same again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from laketop.ml import Contender, LabelledRows, repeatable, reproducible


def test_a_score_that_depends_on_the_rows_beside_it_is_not_repeatable(
    rows: LabelledRows, sound: Contender
) -> None:
    ranks = dataclasses.replace(sound, version="5", predict=lambda f: np.arange(len(f)) / len(f))
    verdict = repeatable()(ranks, None, rows)
    assert not verdict.passed
    assert "scores differ" in verdict.reason
    assert repeatable()(sound, None, rows).passed


def test_retraining_has_to_give_the_same_scores(rows: LabelledRows, sound: Contender) -> None:
    assert reproducible(lambda same: same)(sound, None, rows).passed

    def drifted(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return sound.predict(frame) + 1e-9

    other = dataclasses.replace(sound, predict=drifted)
    verdict = reproducible(lambda _: other)(sound, None, rows)
    assert not verdict.passed
    assert reproducible(lambda _: other, tolerance=1e-6)(sound, None, rows).passed

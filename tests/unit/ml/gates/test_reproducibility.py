"""The same again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from laketop.ml import Contender, LabelledRows, Verdict, repeatable, reproducible


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


def test_without_a_training_the_outcome_that_is_recorded_is_asked_for(
    rows: LabelledRows, sound: Contender
) -> None:
    def asked(**tags: str) -> Verdict:
        return reproducible()(dataclasses.replace(sound, tags=tags), None, rows)

    waiting = asked()
    assert (waiting.passed, waiting.pending) == (False, True)
    assert waiting.reason == "not trained again yet: laketop ml reproduce m 2"
    assert asked(reproduced="identical").passed
    differing = asked(reproduced="rows_sha256 was 'a', is 'b'")
    assert (differing.passed, differing.pending) == (False, False)
    assert "rows_sha256 was 'a', is 'b'" in differing.reason

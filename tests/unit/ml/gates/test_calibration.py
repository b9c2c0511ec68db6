"""Calibration against scikit-learn's reliability curve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from laketop.ml import Contender, LabelledRows, calibrated, calibration_error


def test_it_is_the_mean_gap_of_the_reliability_curve(rows: LabelledRows, sound: Contender) -> None:
    scores = rows.scores(sound)
    observed, predicted = calibration_curve(rows.labels, scores, n_bins=10, strategy="quantile")
    expected = np.abs(observed - predicted).mean()  # 4,000 rows: ten bins of 400
    assert calibration_error(rows.labels, scores) == pytest.approx(expected, abs=1e-3)


def test_true_probabilities_pass_and_shifted_ones_do_not(
    rows: LabelledRows, sound: Contender
) -> None:
    gate = calibrated(0.05)
    verdict = gate(sound, None, rows)
    assert verdict.passed
    brier = {m.metric: m.measured for m in verdict.measures}["brier"]
    assert brier == pytest.approx(brier_score_loss(rows.labels, rows.scores(sound)))
    shifted = dataclasses.replace(
        sound, version="8", predict=lambda f: np.clip(sound.predict(f) + 0.2, 0, 1)
    )
    found = gate(shifted, None, rows)
    assert not found.passed
    assert "+0." in found.reason


def test_a_score_that_is_no_probability_does_not_pass(rows: LabelledRows, sound: Contender) -> None:
    wide = dataclasses.replace(sound, version="7", predict=lambda f: 3 * sound.predict(f))
    verdict = calibrated(1.0)(wide, None, rows)
    assert not verdict.passed
    assert "no probabilities" in verdict.reason


def test_no_rows_have_no_calibration() -> None:
    with pytest.raises(ValueError, match="no calibration"):
        calibration_error(np.empty(0), np.empty(0))

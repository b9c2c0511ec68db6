"""Calibration against scikit-learn, and against what is known of drawn data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from laketop.ml import calibration_metrics, reliability, reliability_figure

DRAWN = np.random.default_rng(11)
P = DRAWN.random(20_000)
Y = (DRAWN.random(20_000) < P).astype(float)


def test_losses_agree_with_scikit_learn() -> None:
    found = calibration_metrics(Y, P)
    assert found["brier"] == pytest.approx(brier_score_loss(Y, P))
    assert found["log_loss"] == pytest.approx(log_loss(Y, P))


def test_honest_probabilities_are_calibrated_and_boastful_ones_are_not() -> None:
    assert calibration_metrics(Y, P)["calibration_error"] < 0.02
    boastful = calibration_metrics(Y, np.sqrt(P))
    assert boastful["calibration_error"] == pytest.approx(boastful["calibration_bias"], abs=0.01)
    assert boastful["calibration_bias"] > 0.15


def test_groups_hold_every_row_and_rise() -> None:
    groups = reliability(Y, P, bins=7)
    assert groups["rows"].sum() == len(Y)
    assert groups["predicted"].is_monotonic_increasing
    assert len(reliability(Y[:3], P[:3])) == 3


def test_lengths_that_differ_are_an_error() -> None:
    with pytest.raises(ValueError, match="2 labels, 1 predictions"):
        calibration_metrics([0, 1], [0.5])


def test_the_picture_shows_the_groups() -> None:
    line = reliability_figure(Y, P).axes[0].lines[1]
    assert line.get_xdata() == pytest.approx(reliability(Y, P)["predicted"])

"""What a decision is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from laketop.ml import (
    Contender,
    Gate,
    GateFailed,
    LabelledRows,
    Verdict,
    evaluate,
    minimum_auc,
    no_larger_error_than_champion,
    no_worse_than_champion,
    outcome,
    require,
)
from laketop.ml.evaluation import _requirements

PASSED = Verdict(gate="a", passed=True)
FAILED = Verdict(gate="b", passed=False, measured=0.5, limit=0.6, reason="too low")
PENDING = Verdict(gate="c", passed=False, pending=True)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASSED], "approved"),
        ([PASSED, FAILED], "rejected"),
        ([PASSED, PENDING], "pending"),
        ([FAILED, PENDING], "rejected"),
    ],
)
def test_outcome(verdicts: list[Verdict], expected: str) -> None:
    assert outcome(verdicts) == expected


def test_no_verdict_decides_nothing() -> None:
    with pytest.raises(ValueError, match="no gate was asked"):
        outcome([])


def test_require_names_the_first_gate_that_did_not_pass() -> None:
    require([PASSED])
    with pytest.raises(GateFailed, match=r"gate 'b' measured 0\.5, the limit is 0\.6"):
        require([PASSED, FAILED, PENDING])


def test_a_model_that_cannot_predict_fails_the_gate_by_name_and_reason() -> None:
    def broken(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        raise OSError("no such file: model.pkl")

    rows = LabelledRows(pd.DataFrame({"x": [0.0, 1.0], "y": [0, 1]}), label="y", name="r")
    candidate = Contender(name="m", version="1", predict=broken)
    (verdict,) = evaluate(candidate, None, rows, [minimum_auc(0.5)])
    assert not verdict.passed
    assert verdict.gate == "minimum_auc"
    assert verdict.reason == "OSError: no such file: model.pkl"


def test_a_champion_that_cannot_predict_is_named_as_the_one_that_failed() -> None:
    def broken(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        raise OSError("no such file: model.pkl")

    def sound(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(frame["x"], dtype=float)

    rows = LabelledRows(pd.DataFrame({"x": [0.0, 1.0], "y": [0, 1]}), label="y", name="r")
    candidate = Contender(name="m", version="2", predict=sound)
    champion = Contender(name="m", version="1", predict=broken)
    (verdict,) = evaluate(candidate, champion, rows, [no_worse_than_champion(0.1)])
    assert not verdict.passed
    assert verdict.gate == "no_worse_than_champion"
    assert verdict.reason == ("the champion, version '1', failed: OSError: no such file: model.pkl")


@pytest.mark.parametrize("gate", [no_worse_than_champion(0.1), no_larger_error_than_champion(0.1)])
@pytest.mark.parametrize(
    ("of_candidate", "of_champion", "told"),
    [
        (0.0, np.nan, "the champion, version '1' of 'm', gave 2 predictions for 2 rows, 1 of them"),
        (np.inf, 0.0, "the candidate, version '2' of 'm', gave 2 predictions for 2 rows, 1 of"),
        (np.nan, np.nan, "the candidate, version '2' of 'm', gave 2 predictions for 2 rows, 1 of"),
    ],
)
def test_predictions_that_are_no_numbers_are_told_with_whose_they_are(
    gate: Gate, of_candidate: float, of_champion: float, told: str
) -> None:
    def first_is(value: float, version: str) -> Contender:
        return Contender(name="m", version=version, predict=lambda _: np.array([value, 1.0]))

    rows = LabelledRows(pd.DataFrame({"x": [0.0, 1.0], "y": [0, 1]}), label="y", name="r")
    (verdict,) = evaluate(first_is(of_candidate, "2"), first_is(of_champion, "1"), rows, [gate])
    assert not verdict.passed
    assert told in verdict.reason
    assert verdict.reason.endswith("no finite number")


def test_the_requirements_of_a_model_are_those_of_its_lock_where_it_has_one(
    tmp_path: Path,
) -> None:
    assert _requirements(str(tmp_path)) == ()
    (tmp_path / "requirements.txt").write_text("numpy==2.0\npandas\n", encoding="utf-8")
    assert _requirements(str(tmp_path)) == ("numpy==2.0", "pandas")
    lock = "numpy==2.0 \\\n    --hash=sha256:aa\n"
    (tmp_path / "requirements.lock").write_text(lock, encoding="utf-8")
    assert _requirements(str(tmp_path)) == ("numpy==2.0",)

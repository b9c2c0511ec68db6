from __future__ import annotations

from flights.evaluate import headline
from laketop.ml import Verdict


def said(gate: str, reason: str, *, passed: bool = True) -> Verdict:
    return Verdict(gate=gate, passed=passed, measured=0.5, limit=0.4, reason=reason)


MEASURED = (
    said("minimum_auc", "AUC 0.71 of at least 0.68"),
    said("calibration", "error 0.01"),
    said("no_worse_than_champion", "0.01 better"),
)


def test_what_was_measured_is_told_also_while_an_approval_is_waited_for() -> None:
    waits = said("approval", "nobody has approved it yet", passed=False)
    told = headline((*MEASURED, waits))
    assert told == "approval: nobody has approved it yet; AUC 0.71 of at least 0.68; 0.01 better"


def test_what_failed_comes_first() -> None:
    failed = said("minimum_auc", "AUC 0.61 of at least 0.68", passed=False)
    assert headline((failed, *MEASURED[1:])) == (
        "minimum_auc: AUC 0.61 of at least 0.68; 0.01 better"
    )

"""A gate on probabilities: of what is predicted at 30 %, about 30 % should happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray


def calibration_error(labels: NDArray[Any], scores: NDArray[Any], *, bins: int = 10) -> float:
    """Return the mean distance between predicted and observed share, a fraction.

    Bins hold equally many rows (ties stay together), and count by their rows.
    Errors: ValueError for no rows, or fewer than one bin.
    Source: Naeini, Cooper and Hauskrecht (2015), expected calibration error, with the adaptive
    bins of Nguyen and O'Connor (2015).
    """
    import numpy as np

    y, p = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    if bins < 1 or not y.size:
        raise ValueError(f"{y.size} rows in {bins} bins have no calibration")
    edges = np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1])
    which = np.searchsorted(edges, p, side="left")
    gaps = np.bincount(which, weights=y - p, minlength=bins)
    return float(np.abs(gaps).sum() / y.size)


def calibrated(limit: float, *, bins: int = 10) -> Gate:
    """Return a gate that wants the expected calibration error to be at most `limit`.

    A score outside of 0 to 1 is no probability, and does not pass.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        labels, scores = rows.classes, rows.scores(candidate)
        if scores.min() < 0 or scores.max() > 1:
            return Verdict(
                gate="calibrated",
                passed=False,
                limit=limit,
                reason=f"scores from {scores.min():g} to {scores.max():g} are no probabilities",
            )
        measured = calibration_error(labels, scores, bins=bins)
        bias = float(scores.mean() - labels.mean())
        return Verdict(
            gate="calibrated",
            passed=measured <= limit,
            measured=measured,
            limit=limit,
            reason=f"probabilities are {measured:.3f} off on average, {bias:+.3f} on the whole",
            measures=(
                Measure(metric="bias", measured=bias, rows=len(rows)),
                Measure(
                    metric="brier",
                    measured=float(((scores - labels) ** 2).mean()),
                    rows=len(rows),
                ),
            ),
        )

    return gate

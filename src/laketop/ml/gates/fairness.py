"""A gate on a slice that is marked: the groups of it are to be treated alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from laketop.ml.gates.slices import slices
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

Criterion = Literal[
    "statistical_parity", "equal_opportunity", "predictive_equality", "predictive_parity"
]


def fairness(
    column: str,
    *,
    limit: float,
    criterion: Criterion = "equal_opportunity",
    threshold: float = 0.5,
    least_rows: int = 200,
) -> Gate:
    """Return a gate on the largest gap between two groups of `column`, a fraction.

    `statistical_parity` compares the share predicted positive, `equal_opportunity` that among
    actual positives, `predictive_equality` that among actual negatives, `predictive_parity` the
    share of actual positives among predicted ones. A score of `threshold` or more is positive.
    Groups with fewer than `least_rows` rows that count are not measured; with fewer than two
    groups left there is nothing to compare, and the gate does not pass.
    Source: the fairness metrics of Databricks' monitors.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        positive = rows.scores(candidate) >= threshold
        measures = []
        for name, chosen in slices(rows, [column]):
            counted, hit = _counted(criterion, rows.classes[chosen] == 1, positive[chosen])
            if counted.sum() >= least_rows:
                share = float(hit[counted].mean())
                size = int(counted.sum())
                measures.append(Measure(metric=criterion, slice=name, measured=share, rows=size))
        return _gap(column, tuple(measures), limit, least_rows)

    return gate


def _counted(
    criterion: Criterion, actual: NDArray[Any], positive: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return which rows count, and which of the rows are hits."""
    return {
        "statistical_parity": (actual | True, positive),
        "equal_opportunity": (actual, positive),
        "predictive_equality": (~actual, positive),
        "predictive_parity": (positive, actual),
    }[criterion]


def _gap(column: str, measures: tuple[Measure, ...], limit: float, least_rows: int) -> Verdict:
    if len(measures) < 2:
        return Verdict(
            gate="fairness",
            passed=False,
            limit=limit,
            reason=f"{column!r} has {len(measures)} groups of {least_rows} rows that count, "
            "two are needed to compare",
            measures=measures,
        )
    low = min(measures, key=lambda m: m.measured)
    high = max(measures, key=lambda m: m.measured)
    gap = high.measured - low.measured
    return Verdict(
        gate="fairness",
        passed=gap <= limit,
        measured=gap,
        limit=limit,
        reason=f"{low.metric} {low.measured:.3f} for {low.slice}, "
        f"{high.measured:.3f} for {high.slice}",
        measures=measures,
    )

"""Gates on models that predict a number: how far off they are, alone and beside the champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.ml.gates.slices import SliceLimit, slices
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def mean_interval(
    values: NDArray[np.float64], *, rounds: int = 200, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Return the mean with the central `confidence` of its bootstrap samples: low, mean, high.

    Errors: ValueError for no values.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    import numpy as np

    if not values.size:
        raise ValueError("no values have no mean")
    generator = np.random.default_rng(seed)
    drawn = [values[generator.integers(0, values.size, values.size)].mean() for _ in range(rounds)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn or [values.mean()], [tail, 1 - tail])
    return float(low), float(values.mean()), float(high)


def maximum_error(limit: float, *, rounds: int = 200, seed: int = 0) -> Gate:
    """Return a gate that wants a mean absolute error of at most `limit`, in the label's units.

    The high end of its 95 % bootstrap interval has to stay within it. It takes rows whose
    `problem` is "regression" or "classification" alike: of probabilities it is what they are off.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        interval = mean_interval(_errors(candidate, rows), rounds=rounds, seed=seed)
        return _verdict("maximum_error", interval, limit, rows)

    return gate


def maximum_slice_error(
    columns: Sequence[str],
    limit: float,
    *,
    least_rows: int = 200,
    rounds: int = 200,
    seed: int = 0,
) -> Gate:
    """Return a gate that wants a mean absolute error of at most `limit` in every slice.

    A slice is the rows of one value of one of `columns`. It fails only when it is surely worse:
    the low end of its 95 % bootstrap interval is above `limit`, in the label's units. Slices with
    fewer than `least_rows` rows are not measured; the reason counts them. `measured` is the worst
    slice's low end.
    """
    bound = SliceLimit(gate="maximum_slice_error", limit=limit, wanted="at most", told=_told)

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        errors = _errors(candidate, rows)
        measures, skipped = [], 0
        for name, chosen in slices(rows, columns):
            if chosen.sum() < least_rows:
                skipped += 1
                continue
            low, found, high = mean_interval(errors[chosen], rounds=rounds, seed=seed)
            measures.append(_of_slice(name, (low, found, high), int(chosen.sum())))
        return bound.judged(measures, skipped=skipped, least=f"{least_rows} rows")

    return gate


def _of_slice(name: str, interval: tuple[float, float, float], rows: int) -> Measure:
    low, found, high = interval
    return Measure(
        metric="mean_absolute_error", slice=name, measured=found, low=low, high=high, rows=rows
    )


def _told(measure: Measure) -> str:
    return f"{measure.slice}: {measure.measured:.4g}, at least {measure.low:.4g}"


def no_larger_error_than_champion(
    margin: float = 0.0, *, rounds: int = 200, confidence: float = 0.95, seed: int = 0
) -> Gate:
    """Return a gate that compares the absolute errors of both models on the same rows.

    It passes when the high end of the interval of their mean difference, by paired bootstrap, is
    at most `margin`, in the label's units.
    """

    def gate(candidate: Contender, champion: Contender | None, rows: LabelledRows) -> Verdict:
        name = "no_larger_error_than_champion"
        if champion is None:
            return Verdict(gate=name, passed=True, limit=margin, reason="no champion yet")
        difference = _errors(candidate, rows) - _errors(champion, rows)
        interval = mean_interval(difference, rounds=rounds, confidence=confidence, seed=seed)
        return _verdict(name, interval, margin, rows, against=champion, confidence=confidence)

    return gate


def _errors(contender: Contender, rows: LabelledRows) -> NDArray[np.float64]:
    import numpy as np

    return np.abs(rows.scores(contender) - rows.labels)


def _verdict(
    gate: str,
    interval: tuple[float, float, float],
    limit: float,
    rows: LabelledRows,
    *,
    against: Contender | None = None,
    confidence: float = 0.95,
) -> Verdict:
    """Return whether the high end of an interval stays within the limit."""
    low, found, high = interval
    metric, sign, other = "mean_absolute_error", "", ""
    if against is not None:
        metric, sign, other = f"{metric}_difference", "+", f"against version {against.version} "
    return Verdict(
        gate=gate,
        passed=high <= limit,
        measured=high,
        limit=limit,
        reason=f"mean absolute error {found:{sign}.4g} {other}on {len(rows)} rows of {rows.name}, "
        f"{confidence:.0%} between {low:{sign}.4g} and {high:{sign}.4g}",
        measures=(Measure(metric=metric, measured=found, low=low, high=high, rows=len(rows)),),
    )

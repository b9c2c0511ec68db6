"""Gates on how well a candidate ranks: over all rows, and in every slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from laketop.ml.gates.roc import auc, auc_interval
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def minimum_auc(limit: float, *, rounds: int = 0, seed: int = 0) -> Gate:
    """Return a gate that wants an AUC of at least `limit`, a fraction.

    With `rounds` the low end of the 95 % bootstrap interval has to reach it.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        scores = rows.scores(candidate)
        low, found, high = (
            auc_interval(rows.classes, scores, rounds=rounds, seed=seed)
            if rounds
            else (auc(rows.classes, scores),) * 3
        )
        between = f", 95 % between {low:.4f} and {high:.4f}" if rounds else ""
        return Verdict(
            gate="minimum_auc",
            passed=low >= limit,
            measured=low,
            limit=limit,
            reason=f"AUC {found:.4f} on {len(rows)} rows of {rows.name}{between}",
            measures=(Measure(metric="auc", measured=found, low=low, high=high, rows=len(rows)),)
            if rounds
            else (),
        )

    return gate


def minimum_slice_auc(
    columns: Sequence[str],
    limit: float,
    *,
    least_rows: int = 200,
    rounds: int = 200,
    seed: int = 0,
) -> Gate:
    """Return a gate that wants every slice to reach an AUC of `limit`.

    A slice is the rows of one value of one of `columns`. It fails only when it is surely worse:
    the high end of its 95 % bootstrap interval is below `limit`, so that a small slice is not
    blamed for chance. Slices with fewer than `least_rows` rows, or one label alone, are not
    measured; the reason counts them. `measured` is the worst slice's high end.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        scores = rows.scores(candidate)
        measures, skipped = [], 0
        for name, chosen in slices(rows, columns):
            y = rows.classes[chosen]
            if y.size < least_rows or not 0 < y.sum() < y.size:
                skipped += 1
                continue
            low, found, high = auc_interval(y, scores[chosen], rounds=rounds, seed=seed)
            measures.append(
                Measure(metric="auc", slice=name, measured=found, low=low, high=high, rows=y.size)
            )
        return _worst(tuple(measures), limit, skipped, least_rows)

    return gate


def slices(rows: LabelledRows, columns: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each slice as (`column = 'value'`, which rows), by column and value.

    Errors: ValueError for a column that the rows lack.
    """
    for column in columns:
        values = rows.column(column)
        for value in sorted(values.dropna().unique().tolist(), key=str):
            yield f"{column} = {value!r}", (values == value).to_numpy(dtype=bool)


def _worst(measures: tuple[Measure, ...], limit: float, skipped: int, least_rows: int) -> Verdict:
    if not measures:
        return Verdict(
            gate="minimum_slice_auc",
            passed=False,
            limit=limit,
            reason=f"no slice has {least_rows} rows of both labels, so none was measured",
        )
    worst = min(measures, key=_high)
    failed = [m for m in measures if _high(m) < limit]
    told = "; ".join(_told(m) for m in failed) or f"worst of {len(measures)} is {_told(worst)}"
    left = f"; {skipped} slices are too small to tell" if skipped else ""
    return Verdict(
        gate="minimum_slice_auc",
        passed=not failed,
        measured=_high(worst),
        limit=limit,
        reason=told + left,
        measures=measures,
    )


def _high(measure: Measure) -> float:
    return measure.measured if measure.high is None else measure.high


def _told(m: Measure) -> str:
    return f"{m.slice}: AUC {m.measured:.4f}, 95 % between {m.low:.4f} and {m.high:.4f}"

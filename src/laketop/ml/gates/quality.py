"""Gates on how well a candidate ranks: over all rows, and in every slice."""

from __future__ import annotations

from collections.abc import Sequence

from laketop.ml.gates.roc import auc, auc_interval
from laketop.ml.gates.slices import SliceLimit, slices
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict


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
    bound = SliceLimit(gate="minimum_slice_auc", limit=limit, wanted="at least", told=_told)

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
        return bound.judged(measures, skipped=skipped, least=f"{least_rows} rows of both labels")

    return gate


def _told(m: Measure) -> str:
    return f"{m.slice}: AUC {m.measured:.4f}, 95 % between {m.low:.4f} and {m.high:.4f}"

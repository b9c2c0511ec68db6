"""A gate on the time that a prediction takes, in this process."""

from __future__ import annotations

import time

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict


def inference_time(limit_ms: float, *, rows_timed: int = 1000, repeats: int = 3) -> Gate:
    """Return a gate on the milliseconds for the first `rows_timed` rows, best of `repeats`."""

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        sample = rows.features.head(rows_timed)
        took = []
        for _i in range(repeats):
            begin = time.perf_counter()
            candidate.predict(sample)
            took.append(1000 * (time.perf_counter() - begin))
        measured = min(took)
        return Verdict(
            gate="inference_time",
            passed=measured <= limit_ms,
            measured=measured,
            limit=limit_ms,
            reason=f"{measured:.1f} ms for {len(sample)} rows, best of {repeats}",
        )

    return gate

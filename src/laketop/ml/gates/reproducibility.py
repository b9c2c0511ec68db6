"""Gates on getting the same again: from the same rows, and from the same training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from laketop.ml.evidence import IDENTICAL, REPRODUCED
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def repeatable(*, tolerance: float = 0.0, rows_asked: int = 1000, seed: int = 0) -> Gate:
    """Return a gate that asks again, in another order, and wants the same scores.

    A model whose answer for a row depends on chance or on the rows beside it does not pass.
    `measured` is the largest difference.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        import numpy as np

        sample = rows.features.head(rows_asked)
        order = np.random.default_rng(seed).permutation(len(sample))
        again = np.empty(len(sample))
        again[order] = np.asarray(candidate.predict(sample.iloc[order]), dtype=float).ravel()
        return _same("repeatable", rows.scores(candidate)[: len(sample)], again, tolerance)

    return gate


def reproducible(
    retrain: Callable[[Contender], Contender] | None = None, *, tolerance: float = 0.0
) -> Gate:
    """Return a gate that wants the candidate's training to give the same again.

    `retrain` takes the candidate and returns what the recorded tables, seed and code make of it
    today; `measured` is the largest difference of its scores, 0 tolerance means bit for bit.
    Without it the gate asks for what `laketop ml reproduce` or `laketop.ml.reproduce` has found,
    which stands in the version's tag `reproduced`, and waits while nobody has run it; `measured`
    is then 0 or 1.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        import numpy as np

        if retrain is None:
            return _told(candidate)
        again = np.asarray(retrain(candidate).predict(rows.features), dtype=float).ravel()
        return _same("reproducible", rows.scores(candidate), again, tolerance)

    return gate


def _told(candidate: Contender) -> Verdict:
    found = candidate.tags.get(REPRODUCED)
    if found is None:
        reason = f"not trained again yet: laketop ml reproduce {candidate.name} {candidate.version}"
        return Verdict(gate="reproducible", passed=False, pending=True, reason=reason)
    same = found == IDENTICAL
    return Verdict(
        gate="reproducible",
        passed=same,
        measured=0.0 if same else 1.0,
        limit=0.0,
        reason="trained again, every byte was the same" if same else f"trained again: {found}",
    )


def _same(
    gate: str, first: NDArray[np.float64], second: NDArray[np.float64], tolerance: float
) -> Verdict:
    import numpy as np

    if first.shape != second.shape:
        told = f"{second.size} scores where there were {first.size}"
        return Verdict(gate=gate, passed=False, limit=tolerance, reason=told)
    apart = np.abs(first - second)
    largest = float(apart.max(initial=0.0))
    differing = int((~(apart <= tolerance)).sum())
    return Verdict(
        gate=gate,
        passed=not differing,
        measured=largest,
        limit=tolerance,
        reason=f"{differing} of {first.size} scores differ, at most by {largest:.3g}"
        if differing
        else f"{first.size} scores are the same again",
    )

"""A gate that compares the candidate with the champion, on the same rows."""

from __future__ import annotations

from typing import Literal

from laketop.ml.gates.roc import auc_difference, delong_difference
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict


def no_worse_than_champion(
    margin: float = 0.0,
    *,
    method: Literal["bootstrap", "delong"] = "bootstrap",
    rounds: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> Gate:
    """Return a gate that compares both models on the same rows.

    It passes when the low end of the interval of the AUC difference, by paired bootstrap or by
    DeLong, is at least `-margin`: 0 asks for a gain that is no accident, more allows for a draw.
    """

    def gate(candidate: Contender, champion: Contender | None, rows: LabelledRows) -> Verdict:
        if champion is None:
            return Verdict(
                gate="no_worse_than_champion", passed=True, limit=-margin, reason="no champion yet"
            )
        both = rows.scores(candidate), rows.scores(champion)
        low, measured, high = (
            delong_difference(rows.classes, *both, confidence=confidence)
            if method == "delong"
            else auc_difference(
                rows.classes, *both, rounds=rounds, confidence=confidence, seed=seed
            )
        )
        return Verdict(
            gate="no_worse_than_champion",
            passed=low >= -margin,
            measured=low,
            limit=-margin,
            reason=(
                f"AUC {measured:+.4f} against version {champion.version} on {len(rows)} rows of "
                f"{rows.name}, {confidence:.0%} between {low:+.4f} and {high:+.4f}"
            ),
            measures=(
                Measure(
                    metric="auc_difference", measured=measured, low=low, high=high, rows=len(rows)
                ),
            ),
        )

    return gate

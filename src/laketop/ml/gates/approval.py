"""A gate that waits for a person."""

from __future__ import annotations

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict

APPROVED_BY = "approved_by"
"""The tag of a model version that names who has approved it."""


def approval(by: str | None = None) -> Gate:
    """Return a gate that waits until a person other than the author approves.

    The person is `by`, or the one whom the version's tag `approved_by` names.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        who = (by or candidate.tags.get(APPROVED_BY, "")).strip()
        own = bool(who) and who.casefold() == candidate.author.strip().casefold()
        reason = f"approved by {who}" if who else "nobody has approved it yet"
        if own:
            reason = f"{who} is the author, and somebody else has to approve"
        passed = bool(who) and not own
        return Verdict(gate="approval", passed=passed, pending=not passed, reason=reason)

    return gate

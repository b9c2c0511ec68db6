"""Gates on what is written down: description and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict

DOCUMENTED = {"owner": ".+", "intended_use": ".+", "personal_data": ".+"}
"""What a careful colleague asks first: whose it is, what for, and whether it knows people."""


def compliance_tags(required: Mapping[str, str]) -> Gate:
    """Return a gate that wants tags on the version, each matching a whole regular expression.

    `measured` counts the tags that are missing or do not match.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        faults = _tag_faults(candidate, required)
        return Verdict(
            gate="compliance_tags",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults) or f"{', '.join(sorted(required))} are set",
        )

    return gate


def documentation(
    required: Mapping[str, str] | None = None, *, shortest_description: int = 20
) -> Gate:
    """Return a gate that wants a description and the tags owner, intended_use, personal_data.

    `required` replaces those tags, as in `compliance_tags`; `shortest_description` is in
    characters. `measured` counts what is missing.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        wanted = DOCUMENTED if required is None else required
        faults = _tag_faults(candidate, wanted)
        told = len(candidate.description.strip())
        if told < shortest_description:
            faults.append(f"the description has {told} characters, {shortest_description} at least")
        return Verdict(
            gate="documentation",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults) or f"a description of {told} characters, {_named(wanted)}",
        )

    return gate


def _tag_faults(candidate: Contender, required: Mapping[str, str]) -> list[str]:
    return [
        f"{name!r} is {candidate.tags.get(name)!r}"
        for name, pattern in sorted(required.items())
        if re.fullmatch(pattern, candidate.tags.get(name, "")) is None
    ]


def _named(wanted: Mapping[str, str]) -> str:
    return f"tags {', '.join(sorted(wanted))}" if wanted else "no tags asked for"

"""What is known of a model version beside its scores: leaks, and whether it can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REPRODUCED, IDENTICAL = "reproduced", "identical"
"""The tag of a model version that says what training it again has given, and its best value."""
_LONGEST_TAG = 250


def reproduced(differs: Sequence[str]) -> str:
    """Return what the tag `reproduced` says of a training that differs in these sentences.

    >>> reproduced([])
    'identical'
    """
    return "; ".join(differs)[:_LONGEST_TAG] or IDENTICAL


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one check says of one feature, or of the split when `feature` is None.

    Units: `measured` and `limit` are shares from 0 to 1; `rows` is how many rows were looked at.
    """

    feature: str | None
    table: str | None
    check: str
    measured: float
    limit: float
    leaking: bool
    rows: int
    reason: str

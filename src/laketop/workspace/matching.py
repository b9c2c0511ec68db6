"""How a filter of MLflow's compares a text: =, !=, LIKE and ILIKE. Pure."""

from __future__ import annotations

import re


def matches(text: str, operator: str, pattern: str) -> bool:
    """Tell whether a text is as a filter asks; LIKE knows `%` and `_`, ILIKE either case.

    What is between two `%` is looked for once, from the left: time grows as text x pattern.
    """
    if operator in {"=", "!="}:
        return (text == pattern) == (operator == "=")
    flags = re.DOTALL | (re.IGNORECASE if operator == "ILIKE" else 0)
    pieces = pattern.split("%")
    begin, *between = (re.compile(_expression(piece), flags) for piece in pieces)
    if not between:
        return begin.fullmatch(text) is not None
    found, end = begin.match(text), between.pop()
    for piece in between:
        found = found and piece.search(text, found.end())
    # A piece is as long as what it matches, so the last one has one place where it can be.
    at = len(text) - len(pieces[-1])
    return found is not None and found.end() <= at and end.fullmatch(text, at) is not None


def _expression(piece: str) -> str:
    return "".join("." if letter == "_" else re.escape(letter) for letter in piece)

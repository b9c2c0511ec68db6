"""How a filter of MLflow's compares a text: =, !=, LIKE and ILIKE. Pure."""

from __future__ import annotations

import re


def matches(text: str, operator: str, pattern: str) -> bool:
    """Tell whether a text is as a filter asks; LIKE knows `%` and `_`, ILIKE either case."""
    if operator in {"=", "!="}:
        return (text == pattern) == (operator == "=")
    expression = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    flags = re.DOTALL | (re.IGNORECASE if operator == "ILIKE" else 0)
    return re.fullmatch(expression, text, flags) is not None

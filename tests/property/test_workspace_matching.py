"""LIKE and ILIKE of MLflow's filters, against what they mean letter by letter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.matching import matches

_TEXTS = st.text("aAbß.\n", max_size=7)
_PATTERNS = st.text("aAbß.%_\n", max_size=7)


def _like(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_like(text[at:], pattern[1:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in {"_", text[0]} and _like(text[1:], pattern[1:])


@given(text=_TEXTS, pattern=_PATTERNS)
def test_like_is_of_letters_and_of_two_wildcards(text: str, pattern: str) -> None:
    assert matches(text, "LIKE", pattern) == _like(text, pattern)


@given(text=_TEXTS, pattern=_PATTERNS)
def test_ilike_is_like_of_either_case(text: str, pattern: str) -> None:
    assert matches(text, "ILIKE", pattern) == _like(text.lower(), pattern.lower())


def test_a_pattern_of_many_wildcards_ends() -> None:
    """To try every place of each piece would not, before the sun does."""
    text = "a" * 2000
    assert not matches(text, "LIKE", "%a" * 50 + "b")
    assert not matches(text, "ILIKE", "%A_" * 50 + "%b%")
    assert matches(text + "b", "LIKE", "%a" * 50 + "%b")

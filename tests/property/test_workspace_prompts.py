"""Filters of prompts: conditions that all have to hold, whatever is quoted in them."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import InvalidParameterValue
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.prompts import Prompt, chosen

_WORDS = st.lists(st.sampled_from(["and", "AND", "a", "=", " ", "%", "OR", "name"]), max_size=6)
_TEXTS = _WORDS.map("".join)
_KEYS = _WORDS.map(" ".join).filter(bool)
_ANDS = st.sampled_from([" AND ", " and ", "  And\n"])


def _prompt(tags: dict[str, str]) -> Prompt:
    return Prompt("main.ml.p", "ann", 0, 0, tags=tags)


@given(tags=st.dictionaries(_KEYS, _TEXTS), other=st.dictionaries(_KEYS, _TEXTS), word=_ANDS)
def test_a_prompt_is_chosen_where_every_condition_holds(
    tags: dict[str, str], other: dict[str, str], word: str
) -> None:
    fits = chosen(word.join(f"tags.`{key}` = '{value}'" for key, value in tags.items()))
    assert fits(_prompt(tags))
    assert fits(_prompt(other | tags))
    assert fits(_prompt(other)) == (other | tags == other)


@pytest.mark.parametrize("piece", ["'", "`", "' AND ", "'AND`", "name ", "tags.", "AND "])
def test_a_long_filter_that_is_none_is_refused(piece: str) -> None:
    """To look behind each AND for the quotes up to the end would take hours."""
    with pytest.raises(InvalidParameterValue, match="is not of names and tags"):
        chosen(piece * 500_000)


def test_a_long_filter_is_read() -> None:
    """To look behind each AND for the quotes up to the end would take hours."""
    fits = chosen(" AND ".join(["name ILIKE 'MAIN%'", "name != 'AND'"] * 50_000))
    assert fits(_prompt({}))

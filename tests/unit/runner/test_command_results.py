"""Results of commands: plain JSON, and of a bounded size."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql.types import StructType

from laketop.runner.command_results import MOST_CHARACTERS, MOST_ROWS, Printed, table, texts

SCHEMA = StructType.fromJson(
    {
        "type": "struct",
        "fields": [{"name": "x", "type": "double", "nullable": True, "metadata": {}}],
    }
)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_lacks_comes_as_text(value: float) -> None:
    told = table(SCHEMA, [(value,), (1.5,), (None,)])
    assert told["data"] == [[str(value)], [1.5], [None]]
    assert not told["truncated"]
    json.dumps(told, allow_nan=False)


def test_rows_beyond_a_limit_are_left_out_and_that_is_told() -> None:
    many = table(SCHEMA, [(1,)] * (MOST_ROWS + 1))
    assert (len(many["data"]), many["truncated"]) == (MOST_ROWS, True)
    long = table(SCHEMA, [("xx",)] * 5, most=7)
    assert (len(long["data"]), long["truncated"]) == (3, True)


@given(st.lists(st.text()), st.integers(min_value=0, max_value=30))
def test_what_is_printed_is_kept_up_to_the_limit(written: list[str], most: int) -> None:
    printed = Printed(most)
    for text in written:
        assert printed.write(text) == len(text)
    whole = "".join(written)
    assert printed.getvalue() == whole[:most]
    assert printed.is_cut == (len(whole) > most)


def test_a_text_that_is_cut_says_so() -> None:
    assert texts("text", data="x") == {"resultType": "text", "data": "x"}
    cut = texts("error", summary="s", cause="x" * (MOST_CHARACTERS + 1))
    assert (cut["summary"], len(cut["cause"]), cut["truncated"]) == ("s", MOST_CHARACTERS, True)

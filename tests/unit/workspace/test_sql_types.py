"""Types of SQL in Spark's JSON."""

from __future__ import annotations

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.workspace.columns import type_text
from laketop.workspace.sql_types import Words, parsed_type

SIMPLE = st.sampled_from(
    ["boolean", "tinyint", "int", "bigint", "double", "string", "date", "decimal(5,2)", "variant"]
)
FIELDS = st.sampled_from(["a", "B", "c_1"])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    field = st.builds("{}:{}".format, FIELDS, inner)
    return st.one_of(
        st.builds("array<{}>".format, inner),
        st.builds("map<string,{}>".format, inner),
        st.lists(field, max_size=3).map(lambda found: f"struct<{','.join(found)}>"),
    )


@settings(max_examples=40)
@given(st.recursive(SIMPLE, _nested, max_leaves=6))
def test_what_is_written_of_a_type_reads_as_the_type(text: str) -> None:
    assert type_text(parsed_type(text)) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DECIMAL", "decimal(10,0)"),
        ("numeric(7)", "decimal(7,0)"),
        ("VARCHAR( 3 )", "varchar(3)"),
        ("character(3)", "char(3)"),
        ("STRING COLLATE UTF8_LCASE", "string"),
        ("INTERVAL DAY TO SECOND", "interval day to second"),
        ("interval year", "interval year"),
        ("interval", "interval"),
        ("long", "long"),
        ("real", "float"),
    ],
)
def test_other_spellings_are_the_same_types(text: str, found: str) -> None:
    assert parsed_type(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("decimal(39)", "decimal(50,2)", "decimal(2,5)", "varchar(99999999999)"),
        *("interval minute to hour", "interval day to day", "interval month to day"),
    ],
)
def test_types_that_the_engine_cannot_read_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameterValue):
        parsed_type(f"array<{text}>")


def test_fields_keep_their_names_comments_and_whether_they_can_be_null() -> None:
    (field,) = parsed_type("STRUCT<`a b`: INT NOT NULL COMMENT 'it\\'s'>")["fields"]
    assert field == {
        "name": "a b",
        "type": "integer",
        "nullable": False,
        "metadata": {"comment": "it's"},
    }


@pytest.mark.parametrize(
    "text",
    [
        *("", "INT INT", "strange", "array<int", "array int", "varchar", "decimal(x)", "map<int>"),
        *("interval day to x", "array<" * 60 + "int" + ">" * 60),
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterValue):
        parsed_type(text)


def test_a_text_says_what_is_between_its_quotes() -> None:
    words = Words("'it''s\\n\\'x\\\\' " + '"say ""a""" `t``k` -- not this')
    assert [words.next().value for _ in range(3)] == ["it's\n'x\\", 'say "a"', "t`k"]
    assert words.peek() is None

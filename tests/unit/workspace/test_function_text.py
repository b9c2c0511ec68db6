"""The statement that makes a SQL function."""

from __future__ import annotations

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.workspace.function_text import FunctionText, Parameter, parsed_function

TEXTS = st.text("a'\\\"`;\n,()", max_size=6)
DEFAULTS = st.sampled_from([None, "1", "'a,b'", "f(1, 2)", "named_struct('a', 1)"])
PARAMETERS = st.lists(
    st.builds(
        Parameter,
        st.text("ab` ,)", min_size=1, max_size=4),
        st.sampled_from(["INT", "DECIMAL(5, 2)", "array<struct<a:int>>", "STRING"]),
        DEFAULTS,
        st.none() | TEXTS,
    ),
    max_size=3,
)
HEADS = st.one_of(
    st.fixed_dictionaries({"returns": st.none() | st.just("map<string, int>")}),
    st.fixed_dictionaries({"columns": PARAMETERS}),
)


@settings(max_examples=40)
@given(PARAMETERS, HEADS, st.none() | TEXTS, st.sampled_from([None, True, False]))
def test_a_statement_says_of_what_it_was_made(
    parameters: list[Parameter],
    head: dict[str, object],
    comment: str | None,
    is_deterministic: bool | None,
) -> None:
    text = FunctionText(
        parameters=parameters,
        comment=comment,
        is_deterministic=is_deterministic,
        body="SELECT ')', a FROM t",
        **head,  # type: ignore[arg-type]  # one of two fields
    )
    assert parsed_function(text.statement("f`x")) == text


def test_what_people_write_is_understood() -> None:
    text = parsed_function(
        """create or replace function main.s.f(
            n int not null default 1 + (2) comment 'a number', -- the first
            `of` STRING
        ) returns table (i int comment 'x', j double) language sql reads sql data
        comment 'RETURN nothing' return select n as i, 2.0 as j
        """
    )
    assert text.parameters == [
        Parameter("n", "int", "1 + (2)", "a number"),
        Parameter("of", "STRING"),
    ]
    assert text.columns == [Parameter("i", "int", None, "x"), Parameter("j", "double")]
    assert (text.comment, text.body) == ("RETURN nothing", "select n as i, 2.0 as j")


@pytest.mark.parametrize(
    "statement",
    [
        *("", "SELECT 1", "CREATE FUNCTION f RETURN 1", "CREATE FUNCTION f(n) RETURN 1"),
        *("CREATE FUNCTION f(n INT", "CREATE FUNCTION f(n INT x) RETURN 1", "CREATE FUNCTION f()"),
    ],
)
def test_another_statement_is_refused(statement: str) -> None:
    with pytest.raises(InvalidParameterValue):
        parsed_function(statement)


def test_a_parameter_is_told_with_its_type() -> None:
    assert Parameter("n", "DECIMAL(5, 2)", "1", "c").told(3) == {
        "name": "n",
        "type_text": "decimal(5,2)",
        "type_name": "DECIMAL",
        "type_json": '{"name": "n", "type": "decimal(5,2)", "nullable": true, "metadata": {}}',
        "position": 3,
        "parameter_mode": "IN",
        "parameter_type": "PARAM",
        "parameter_default": "1",
        "comment": "c",
    }

"""SQL cells: statements are split where they end, widgets are found where they are meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.runner.sql_cell import statements


def texts(source: str) -> list[str]:
    return [statement.text for statement in statements(source, {})]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("select 1", ["select 1"]),
        ("select 1; select 2;\n", ["select 1", "select 2"]),
        ("select ';'; select 2", ["select ';'", "select 2"]),
        ('select ";"', ['select ";"']),
        ("select `a;b`", ["select `a;b`"]),
        (r"select 'it\';s'", [r"select 'it\';s'"]),
        ("select 1 -- one; two\n; select 2", ["select 1 -- one; two", "select 2"]),
        ("select /* ; */ 1", ["select /* ; */ 1"]),
        ("-- nothing but a comment", []),
        (" ; ;", []),
        ("begin declare x int; set x = 1; end", ["begin declare x int; set x = 1; end"]),
        ("-- why\nBEGIN select 1; END", ["-- why\nBEGIN select 1; END"]),
        ("select begin; select 2", ["select begin", "select 2"]),
        ("as $$ it's; -- $$; select 2", ["as $$ it's; -- $$", "select 2"]),
        ("as $py$ x[1:y]; $$; $py$; select 2", ["as $py$ x[1:y]; $$; $py$", "select 2"]),
    ],
)
def test_a_cell_is_split_into_statements(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("select :day", {"day": "monday"}),
        ("select * from t where d=:day", {"day": "monday"}),
        ("select ':day'", {}),
        ("select :other", {}),
        ("select x::day", {}),
        ("select v:day", {}),
        ("select v[0]:day, f(x):day", {}),
        ("select 1 -- :day", {}),
    ],
)
def test_a_marker_is_an_argument_where_a_widget_has_its_name(
    source: str, arguments: dict[str, str]
) -> None:
    (statement,) = statements(source, {"day": "monday"})

    assert statement.arguments == arguments
    assert statement.text == source


def test_old_parameters_are_replaced_as_text() -> None:
    (statement,) = statements("select '$day', '${day}', '${spark.x}', $y", {"day": "monday"})

    assert statement.text == "select 'monday', 'monday', '${spark.x}', $y"


plain = st.text(alphabet="abc123 =+", min_size=1).filter(lambda text: text.strip() != "")
quoted = st.text(alphabet="ab;:- ").map(lambda text: f"'{text}'")


@given(st.lists(st.tuples(plain, quoted), min_size=1))
def test_statements_joined_by_semicolons_come_back(parts: list[tuple[str, str]]) -> None:
    sources = ["".join(part).strip() for part in parts]

    assert texts(";".join(sources)) == sources

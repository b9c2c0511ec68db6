from __future__ import annotations

import pytest

from laketop.runner.dbutils.widgets import InputWidgetNotDefined, Widgets
from laketop.runner.sql_widgets import WidgetStatement, widget_statement


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CREATE WIDGET TEXT day DEFAULT '2013'", WidgetStatement("day", "TEXT", "2013")),
        ('create widget text `a b` default "it\'s"\n', WidgetStatement("a b", "TEXT", "it's")),
        ("CREATE WIDGET TEXT n DEFAULT 5", WidgetStatement("n", "TEXT", "5")),
        (
            "CREATE WIDGET DROPDOWN d DEFAULT 'x'\nCHOICES SELECT c FROM t",
            WidgetStatement("d", "DROPDOWN", "x", "SELECT c FROM t"),
        ),
        ("REMOVE WIDGET day", WidgetStatement("day")),
        ("CREATE TABLE widget (a INT)", None),
        ("CREATE WIDGET TEXT day", None),
    ],
)
def test_statements_about_widgets_are_told_from_others(
    text: str, said: WidgetStatement | None
) -> None:
    assert widget_statement(text) == said


def test_a_widget_has_its_default_until_the_run_brings_a_value_and_is_removed() -> None:
    def no_query(query: str) -> list[str]:
        raise AssertionError(query)

    widgets = Widgets({"b": "of the run"})
    for name in "ab":
        WidgetStatement(name, "TEXT", "1").apply(widgets, no_query)
    assert widgets.getAll() == {"a": "1", "b": "of the run"}
    WidgetStatement("a").apply(widgets, no_query)
    with pytest.raises(InputWidgetNotDefined):
        widgets.get("a")


def test_choices_are_what_their_query_returns() -> None:
    widgets, asked = Widgets({}), []

    def column(query: str) -> list[str]:
        asked.append(query)
        return ["x", "y"]

    WidgetStatement("d", "MULTISELECT", "y", "SELECT c").apply(widgets, column)
    assert (widgets.get("d"), asked) == ("y", ["SELECT c"])
    with pytest.raises(ValueError, match="'z' of widget 'd' is no choice"):
        WidgetStatement("d", "DROPDOWN", "z", "SELECT c").apply(widgets, column)

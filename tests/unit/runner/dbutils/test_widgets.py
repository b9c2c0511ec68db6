"""Widgets: the run's parameter wins over %run's argument, that over the default."""

from __future__ import annotations

import pytest

from laketop.runner.dbutils.widgets import InputWidgetNotDefined, Widgets


def test_the_run_wins_over_arguments_and_those_over_defaults() -> None:
    widgets = Widgets({"a": "run"})
    for name in "abc":
        widgets.text(name, "default", "Label")
    widgets.set_arguments({"a": "argument", "b": "argument"})

    assert widgets.getAll() == {"a": "run", "b": "argument", "c": "default"}


def test_a_parameter_of_the_run_needs_no_widget() -> None:
    assert Widgets({"a": "1"}).get("a") == "1"


def test_a_widget_that_is_declared_again_keeps_the_value_of_the_run() -> None:
    widgets = Widgets({"a": "run"})
    widgets.text("a", "x")
    widgets.text("a", "y")

    assert widgets.get("a") == "run"


def test_an_unknown_widget_is_named() -> None:
    with pytest.raises(InputWidgetNotDefined, match="'nope'"):
        Widgets({}).get("nope")
    assert Widgets({}).getArgument("nope", "x") == "x"


def test_all_kinds_have_a_default() -> None:
    widgets = Widgets({})
    widgets.dropdown("a", "1", ["1", "2"])
    widgets.combobox("b", "free", ["1"])
    widgets.multiselect("c", "2", ["1", "2"], "Label")

    assert widgets.getAll() == {"a": "1", "b": "free", "c": "2"}


def test_a_default_must_be_a_choice_and_text() -> None:
    with pytest.raises(ValueError, match="is no choice"):
        Widgets({}).dropdown("a", "3", ["1"])
    with pytest.raises(TypeError, match="not 3"):
        Widgets({}).text("a", 3)  # type: ignore[arg-type]  # what a notebook may well do


def test_removed_widgets_are_gone_but_parameters_stay() -> None:
    widgets = Widgets({"a": "run"})
    widgets.text("a", "x")
    widgets.text("b", "x")
    widgets.remove("a")
    widgets.removeAll()

    assert widgets.getAll() == {"a": "run"}

from __future__ import annotations

from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.runner import alerts
from laketop.runner.alerts import state_of


def condition(op: str, **threshold: Any) -> dict[str, Any]:
    """Return a condition on the column `n`."""
    value = {"threshold": {"value": threshold}} if threshold else {}
    return {"op": op, "operand": {"column": {"name": "n"}}, **value}


@pytest.mark.parametrize(
    ("op", "threshold", "value", "state"),
    [
        ("GREATER_THAN", {"double_value": 3}, 4, "TRIGGERED"),
        ("GREATER_THAN", {"double_value": 3}, 3, "OK"),
        ("GREATER_THAN_OR_EQUAL", {"double_value": 3}, "3.0", "TRIGGERED"),
        ("LESS_THAN", {"double_value": 3}, 2, "TRIGGERED"),
        ("LESS_THAN_OR_EQUAL", {"double_value": 3}, 4, "OK"),
        ("EQUAL", {"string_value": "a"}, "a", "TRIGGERED"),
        ("NOT_EQUAL", {"bool_value": True}, False, "TRIGGERED"),
        ("EQUAL", {"double_value": 0}, None, "OK"),
        ("IS_NULL", {}, None, "TRIGGERED"),
        ("IS_NULL", {}, 1, "OK"),
    ],
)
def test_the_first_row_is_held_against_the_threshold(
    op: str, threshold: dict[str, Any], value: Any, state: str
) -> None:
    assert state_of(condition(op, **threshold), [{"n": value}, {"n": 99}]) == state


def test_without_rows_the_condition_decides_else_it_is_unknown() -> None:
    assert state_of(condition("EQUAL"), []) == alerts.STATE_WITHOUT_ROWS == "UNKNOWN"
    assert state_of({**condition("EQUAL"), "empty_result_state": "OK"}, []) == "OK"


@pytest.mark.parametrize(
    ("wrong", "row", "said"),
    [
        (condition("EQUAL", double_value=1), {"m": 1}, "column 'n'"),
        (condition("ABOVE", double_value=1), {"n": 1}, "'ABOVE'"),
        (condition("EQUAL", double_value=1), {"n": "x"}, "'x'"),
        (condition("EQUAL"), {"n": 1}, "no threshold"),
    ],
)
def test_what_cannot_be_compared_is_an_error_that_names_it(
    wrong: dict[str, Any], row: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        state_of(wrong, [row])

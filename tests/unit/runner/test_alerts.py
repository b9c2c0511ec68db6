from __future__ import annotations

from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.runner import alerts
from laketop.runner.alerts import query_of, state_of, state_of_evaluation


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
        ("IS_NOT_NULL", {}, 1, "TRIGGERED"),
        ("IS_NOT_NULL", {}, None, "OK"),
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


def evaluation(source: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return an evaluation of an alert with its own query, against 5 unless `more` says else."""
    threshold = {"value": {"double_value": 5}}
    return {
        "comparison_operator": "GREATER_THAN",
        "source": source,
        "threshold": threshold,
        **more,
    }


def test_the_first_row_of_an_alerts_own_query_is_what_counts() -> None:
    wanted = evaluation({"name": "n"})
    alert = {"query_text": "SELECT n FROM t;", "evaluation": wanted}
    assert query_of(alert) == "SELECT n FROM t;"
    assert state_of_evaluation(wanted, [{"n": 6}, {"n": 1}]) == "TRIGGERED"
    assert state_of_evaluation(wanted, [{"n": 5}]) == "OK"
    assert state_of_evaluation({**wanted, "empty_result_state": "OK"}, []) == "OK"


@pytest.mark.parametrize(
    ("op", "value", "limit", "state"),
    [
        ("GREATER_THAN", 5, 4, "TRIGGERED"),
        ("GREATER_THAN", 5, 6, "OK"),
        ("EQUAL", "a", "a", "TRIGGERED"),
    ],
)
def test_a_threshold_may_be_a_column(op: str, value: Any, limit: Any, state: str) -> None:
    threshold = {"column": {"name": "limit"}}
    wanted = evaluation({"name": "n"}, threshold=threshold, comparison_operator=op)
    assert state_of_evaluation(wanted, [{"n": value, "limit": limit}]) == state


def test_aggregates_are_asked_of_the_engine_with_how_many_rows_there_are() -> None:
    wanted = evaluation({"name": "n", "aggregation": "SUM"}, empty_result_state="OK")
    text = query_of({"query_text": "SELECT n FROM t -- all;\n;", "evaluation": wanted})
    assert "(SELECT sum(`n`) FROM answer) AS `sum(n)`" in text
    assert text.startswith("WITH answer AS (\nSELECT n FROM t -- all;\n\n)")
    assert state_of_evaluation(wanted, [{"sum(n)": 6, "rows": 3}]) == "TRIGGERED"
    assert state_of_evaluation(wanted, [{"sum(n)": None, "rows": 0}]) == "OK"


def test_an_aggregation_that_does_not_exist_is_an_error_that_names_it() -> None:
    wrong = evaluation({"name": "n", "aggregation": "MOST"})
    with pytest.raises(ConfigError, match="'MOST'"):
        query_of({"query_text": "SELECT 1 AS n", "evaluation": wrong})

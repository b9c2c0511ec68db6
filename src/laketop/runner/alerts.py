"""The state of an alert: its condition, held against what its query answers.

Source: databricks-sdk, `sql.AlertCondition`, of which that only the first row counts is unverified,
and `sql.AlertV2Evaluation`.
"""

from __future__ import annotations

import dataclasses
import operator
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError
from laketop.runner.notifications import Recipients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STATE_WITHOUT_ROWS: Final = "UNKNOWN"
"""Where the alert names no `empty_result_state`; unverified."""
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}
_OF_NULLS: Final[Mapping[str, bool]] = {"IS_NULL": True, "IS_NOT_NULL": False}
_AGGREGATIONS: Final[Mapping[str, str]] = {
    **{name: f"{name.lower()}({{}})" for name in ("AVG", "COUNT", "MAX", "MEDIAN", "MIN", "SUM")},
    "COUNT_DISTINCT": "count(DISTINCT {})",
    "STDDEV": "stddev({})",
}
_COUNT: Final = "rows"
"""The column that tells how many rows the query had, where aggregates of them are asked for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """The state in which a task found an alert, and whom the task tells of it."""

    alert_id: str
    state: str
    job_id: int
    run_id: int
    task_run_id: int
    task_key: str
    told: Recipients


def subscribers(entries: Sequence[Mapping[str, Any]]) -> Recipients:
    """Return who the subscribers of a task are: users, or destinations of notifications."""
    users = (entry.get("user_name") for entry in entries)
    places = (entry.get("destination_id") for entry in entries)
    return Recipients(
        emails=tuple(str(user) for user in users if user),
        webhooks=tuple(str(place) for place in places if place),
    )


def state_of(condition: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return TRIGGERED or OK, or what the condition says of a query that has no rows.

    Errors: ConfigError for a column that the query does not have, for an operator that does not
    exist, and for a value that cannot be compared with the threshold.
    """
    if not rows:
        return str(condition.get("empty_result_state") or STATE_WITHOUT_ROWS)
    name = str(((condition.get("operand") or {}).get("column") or {}).get("name"))
    if name not in rows[0]:
        raise ConfigError(f"the alert looks at the column {name!r}, of {', '.join(rows[0])}")
    op, value = str(condition.get("op")), rows[0][name]
    if op in _OF_NULLS:
        return "TRIGGERED" if (value is None) is _OF_NULLS[op] else "OK"
    if op not in _OPERATORS:
        known = ", ".join([*_OPERATORS, *_OF_NULLS])
        raise ConfigError(f"the operator {op!r} of an alert does not exist", hint=f"one of {known}")
    if value is None:
        return "OK"
    left, right = _comparable(value, (condition.get("threshold") or {}).get("value") or {})
    return "TRIGGERED" if _OPERATORS[op](left, right) else "OK"


def query_of(alert: Mapping[str, Any]) -> str:
    """Return the query that tells what an alert with its own query compares, in its first row.

    That is the alert's own, unless an aggregate of its rows is asked for.
    Errors: ConfigError for an aggregation that does not exist.
    """
    text, evaluation = str(alert.get("query_text") or ""), alert["evaluation"]
    columns = _columns(evaluation)
    if not any(column.get("aggregation") for column in columns):
        return text
    asked = [f"({_scalar(column)}) AS {quoted(_label(column))}" for column in columns]
    asked.append(f"(SELECT count(*) FROM answer) AS {_COUNT}")  # noqa: S608 - a name of ours
    whole = text.strip().rstrip(";")
    return f"WITH answer AS (\n{whole}\n)\nSELECT {', '.join(asked)}"


def state_of_evaluation(evaluation: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return TRIGGERED or OK by the rows of `query_of`, or what the alert says of no rows.

    Errors: as `state_of`.
    """
    source, *others = _columns(evaluation)
    is_aggregated = any(column.get("aggregation") for column in (source, *others))
    answered = [] if is_aggregated and rows and not rows[0].get(_COUNT) else rows
    value = (evaluation.get("threshold") or {}).get("value") or {}
    if others and answered:
        found = answered[0].get(_label(others[0]))
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        value = {"double_value" if is_number else "string_value": found}
    condition = {
        "op": evaluation.get("comparison_operator"),
        "operand": {"column": {"name": _label(source)}},
        "threshold": {"value": value},
        "empty_result_state": evaluation.get("empty_result_state"),
    }
    return state_of(condition, answered)


def quoted(name: str) -> str:
    """Return an identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def _columns(evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    # The column that is compared, and the one that it is compared with, where that is no value.
    other = (evaluation.get("threshold") or {}).get("column")
    return [evaluation.get("source") or {}, *([other] if other else [])]


def _label(column: Mapping[str, Any]) -> str:
    aggregation = column.get("aggregation")
    name = str(column.get("name"))
    return f"{aggregation.lower()}({name})" if aggregation else name


def _scalar(column: Mapping[str, Any]) -> str:
    name, aggregation = quoted(str(column.get("name"))), column.get("aggregation")
    if not aggregation:
        return f"SELECT {name} FROM answer LIMIT 1"  # noqa: S608 - the name is quoted
    if aggregation not in _AGGREGATIONS:
        raise ConfigError(
            f"the aggregation {aggregation!r} of an alert does not exist",
            hint=f"one of {', '.join(sorted(_AGGREGATIONS))}",
        )
    return f"SELECT {_AGGREGATIONS[aggregation].format(name)} FROM answer"  # noqa: S608 - quoted


def _comparable(value: Any, threshold: Mapping[str, Any]) -> tuple[Any, Any]:
    if threshold.get("double_value") is not None:
        try:
            return float(value), float(threshold["double_value"])
        except (TypeError, ValueError):
            raise ConfigError(f"the alert compares {value!r} with a number") from None
    if threshold.get("bool_value") is not None:
        return bool(value), bool(threshold["bool_value"])
    if threshold.get("string_value") is not None:
        return str(value), str(threshold["string_value"])
    raise ConfigError("the alert has no threshold", hint="give it a double_value")

"""The state of an alert: its condition, held against the first row of its query.

Source: databricks-sdk, `sql.AlertCondition`; that only the first row counts is unverified.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError

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
    if op == "IS_NULL":
        return "TRIGGERED" if value is None else "OK"
    if op not in _OPERATORS:
        known = ", ".join([*_OPERATORS, "IS_NULL"])
        raise ConfigError(f"the operator {op!r} of an alert does not exist", hint=f"one of {known}")
    if value is None:
        return "OK"
    left, right = _comparable(value, (condition.get("threshold") or {}).get("value") or {})
    return "TRIGGERED" if _OPERATORS[op](left, right) else "OK"


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

"""The condition task: compares two values, runs nothing."""

from __future__ import annotations

import decimal
import operator
import re
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError
from laketop.runner.context import Outcome
from laketop.runner.references import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laketop.runner.context import TaskContext

_TEXT: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "EQUAL_TO": operator.eq,
    "NOT_EQUAL": operator.ne,
}
_NUMBERS: Final[Mapping[str, Callable[[decimal.Decimal, decimal.Decimal], bool]]] = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,5})?", re.ASCII)


class ConditionTask:
    """Compares `left` and `right` by `op`; its outcome is what edges of the graph ask for."""

    waits = True

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:  # noqa: ARG002
        """Return the outcome of the comparison.

        Errors: ConfigError for an operator that does not exist, and for an operand that is no
        number where numbers are compared.
        """
        condition = task["condition_task"]
        left, right = text_of(condition.get("left", "")), text_of(condition.get("right", ""))
        return Outcome("SUCCESS", condition=compare(condition.get("op", ""), left, right))


def compare(op: str, left: str, right: str) -> bool:
    """Return whether `left` `op` `right`; equality compares text, order compares numbers.

    >>> compare("EQUAL_TO", "12.0", "12"), compare("GREATER_THAN_OR_EQUAL", "12.0", "12")
    (False, True)

    Source: Databricks docs, task types.
    """
    if op in _TEXT:
        return _TEXT[op](left, right)
    if op in _NUMBERS:
        return _NUMBERS[op](_number(left), _number(right))
    raise ConfigError(
        f"the condition operator {op!r} does not exist",
        hint=f"one of {', '.join([*_TEXT, *_NUMBERS])}",
    )


def _number(text: str) -> decimal.Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise ConfigError(f"the operand {text!r} is no number", hint="EQUAL_TO compares text")
    return decimal.Decimal(text.strip())

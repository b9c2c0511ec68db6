"""The condition task."""

from __future__ import annotations

import pytest

from laketop.errors import ConfigError
from laketop.runner.tasks.condition import compare


@pytest.mark.parametrize(
    ("op", "left", "right", "outcome"),
    [
        ("EQUAL_TO", "a", "a", True),
        ("EQUAL_TO", "12.0", "12", False),
        ("EQUAL_TO", "true", "true", True),
        ("NOT_EQUAL", "12.0", "12", True),
        ("NOT_EQUAL", "a", "a", False),
        ("GREATER_THAN", "12.1", "12", True),
        ("GREATER_THAN", "12.0", "12", False),
        ("GREATER_THAN_OR_EQUAL", "12.0", "12", True),
        ("GREATER_THAN_OR_EQUAL", "9", "10", False),
        ("LESS_THAN", "-1e3", "0.5", True),
        ("LESS_THAN", "9007199254740992", "9007199254740993", True),
        ("LESS_THAN_OR_EQUAL", " 3 ", ".3e1", True),
        ("LESS_THAN_OR_EQUAL", "4", "3", False),
    ],
)
def test_equality_compares_text_and_order_compares_numbers(
    op: str, left: str, right: str, *, outcome: bool
) -> None:
    assert compare(op, left, right) is outcome


@pytest.mark.parametrize("operand", ["", "abc", "NaN", "Infinity", "1_0", "0x1", "٣"])
def test_an_operand_that_is_no_number_cannot_be_ordered(operand: str) -> None:
    with pytest.raises(ConfigError, match="is no number"):
        compare("LESS_THAN", "1", operand)


def test_an_operator_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="'LIKE'"):
        compare("LIKE", "a", "a")

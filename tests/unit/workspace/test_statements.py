"""Parameters of statements: texts of a SQL type."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import pytest

from laketop.workspace.statements import argument


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("STRING", "x", "x"),
        ("BIGINT", "7", 7),
        ("double", "1e3", 1000.0),
        ("DECIMAL(10,2)", "1.50", decimal.Decimal("1.50")),
        ("BOOLEAN", "True", True),
        ("DATE", "2013-01-02", dt.date(2013, 1, 2)),
        ("TIMESTAMP", "2013-01-02T03:04:05Z", dt.datetime(2013, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("INT", None, None),
    ],
)
def test_a_parameter_has_the_value_of_its_type(kind: str, text: str | None, value: Any) -> None:
    assert argument(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"), [("INT", "x"), ("BOOLEAN", "yes"), ("DECIMAL(3,1)", "?"), ("DATE", "1")]
)
def test_a_text_of_another_type_is_named(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not of type") as caught:
        argument(kind, text)
    assert repr(text) in str(caught.value)


def test_a_type_that_no_parameter_may_have_is_named() -> None:
    with pytest.raises(ValueError, match="ARRAY<INT>"):
        argument("ARRAY<INT>", "[1]")

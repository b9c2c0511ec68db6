from __future__ import annotations

import pytest

from laketop.bundle.lint.schedules import never


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 0 * * ?",
        "0 0/15 8-18 ? * MON-FRI",
        "0 0 0 29 2 ?",
        "0 0 0 31 JAN,FEB ?",
        "0 0 0 L * ?",
        "0 0 0 15W * ?",
        "0 0 0 ? * 6L",
        "0 0 0 ? * FRI#2",
        "0 0 22-2 * * ?",
        "0 0 0 1 1 ? 2026-2030",
        "0 */5 * * * ?",
        "0 0 0 29 2 ? 2028",
    ],
)
def test_an_expression_that_comes_is_nothing_to_tell(expression: str) -> None:
    assert never(expression, 2026) is None


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("0 0 0 30 2 ?", "no month that it names has such a day"),
        ("0 0 0 31 4,6,9,11 ?", "no month that it names has such a day"),
        ("0 0 0 29 2 ? 2027", "none of its years has a 29 February"),
        ("0 0 0 1 1 ? 2020-2025", "its years are over"),
        ("0 0 * * *", "it has 5 fields, not 6 or 7"),
        ("0 0 0 * * *", "one of day of month and day of week must be ?"),
        ("0 0 0 ? * ?", "one of day of month and day of week must be ?"),
        ("0 61 0 * * ?", "'61' is no minutes"),
        ("0 0 0 1 MAY-FOO ?", "'MAY-FOO' is no month"),
        ("0 0/0 0 * * ?", "'0/0' is no minutes"),
    ],
)
def test_an_expression_that_never_comes_says_why(expression: str, why: str) -> None:
    assert never(expression, 2026) == why

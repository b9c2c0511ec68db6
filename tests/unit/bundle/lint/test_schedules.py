from __future__ import annotations

import datetime as dt

import pytest

from laketop.bundle.lint.schedules import never

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NO_DAY = "no day to come is one that it names"


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
    assert never(expression, NOW) is None


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("0 0 0 30 2 ?", NO_DAY),
        ("0 0 0 31 4,6,9,11 ?", NO_DAY),
        ("0 0 0 29 2 ? 2027", NO_DAY),
        ("0 0 0 1 1 ? 2020-2025", NO_DAY),
        ("0 0 0 1 1 ? 2026", NO_DAY),
        ("0 0 0 30W 2 ?", NO_DAY),
        ("0 0 0 L-30 2 ?", NO_DAY),
        ("0 0 0 ? 2 MON#5 2027", NO_DAY),
        ("0 0 * * *", "the cron expression '0 0 * * *' has 5 fields"),
        (
            "0 0 0 * * *",
            "the cron expression '0 0 0 * * *' needs a ? in one of day of month and day of week",
        ),
        ("0 61 0 * * ?", "the cron expression '0 61 0 * * ?' has '61' as minutes"),
        ("0 0/70 0 * * ?", "the cron expression '0 0/70 0 * * ?' has '0/70' as minutes"),
        ("0 0 0 32W * ?", "the cron expression '0 0 0 32W * ?' has '32' as day of month"),
        ("0 0 0 ? * 8L", "the cron expression '0 0 0 ? * 8L' has '8' as day of week"),
        ("0 0 0 1 MAY-FOO ?", "the cron expression '0 0 0 1 MAY-FOO ?' has 'FOO' as month"),
        ("0 0/0 0 * * ?", "the cron expression '0 0/0 0 * * ?' has '0/0' as minutes"),
    ],
)
def test_an_expression_that_never_comes_says_why(expression: str, why: str) -> None:
    assert never(expression, NOW) == why

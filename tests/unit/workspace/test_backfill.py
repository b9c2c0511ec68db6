from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.workspace import backfill

DAY = 86_400_000
DAILY = {"schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}}


def test_two_days_by_the_hour_are_48_runs() -> None:
    found = backfill.times({}, 0, 2 * DAY, 3_600_000)
    assert (len(found), found[0], found[-1]) == (48, 0, 2 * DAY - 3_600_000)


def test_without_an_interval_the_jobs_own_schedule_says_when() -> None:
    paused = {"schedule": {**DAILY["schedule"], "pause_status": "PAUSED"}}
    assert backfill.times(paused, 0, 2 * DAY, None) == [DAY // 4, DAY + DAY // 4]
    periodic = {"trigger": {"periodic": {"interval": 1, "unit": "DAYS"}}}
    assert backfill.times(periodic, 0, 2 * DAY, None) == [0, DAY]


@pytest.mark.parametrize(
    ("settings", "to_ms", "every_ms", "why"),
    [
        ({}, DAY, None, "no schedule of its own"),
        ({}, DAY, 60_000, "at most 100 runs"),
        ({}, 0, DAY, "No time lies between"),
        ({}, DAY, 0, "less than 1"),
        (DAILY, 1, None, "No time lies between"),
    ],
)
def test_what_cannot_be_filled_in_is_said(
    settings: dict[str, Any], to_ms: int, every_ms: int | None, why: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=why):
        backfill.times(settings, 0, to_ms, every_ms)


def test_a_parameter_that_takes_its_time_from_the_run_takes_it_from_the_backfill() -> None:
    declared = [
        {"name": "day", "default": "{{job.trigger.time.iso_date}}"},
        {"name": "start", "default": "from {{ job.start_time.iso_datetime }}"},
        {"name": "other", "default": "x"},
    ]
    assert backfill.parameters({"parameters": declared}, {"more": "1"}) == {
        "day": "{{backfill.iso_date}}",
        "start": "from {{backfill.iso_datetime }}",
        "more": "1",
    }
    given = {"day": "{{backfill.iso_datetime}}"}
    assert backfill.parameters({}, given) == given


def test_runs_that_nothing_tells_apart_are_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="which time is filled in"):
        backfill.parameters({"parameters": [{"name": "day", "default": "today"}]}, {})

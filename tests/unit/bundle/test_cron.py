"""Quartz expressions: which days, which times, and the two days a year that are no 24 hours."""

from __future__ import annotations

import datetime as dt

import pytest

from laketop.bundle.cron import Cron
from laketop.errors import ConfigError


def fires(text: str, zone: str, after: str, count: int = 3) -> list[str]:
    cron = Cron.of(text, zone)
    at_ms: int | None = int(dt.datetime.fromisoformat(after).timestamp() * 1000)
    found = []
    for _ in range(count):
        assert at_ms is not None
        at_ms = cron.next_after(at_ms)
        if at_ms is None:
            break
        found.append(dt.datetime.fromtimestamp(at_ms / 1000, cron.zone).isoformat())
    return found


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0 0 0 L * ?", ["01-31", "02-28", "03-31"]),
        ("0 0 0 L-3 * ?", ["01-28", "02-25", "03-28"]),
        ("0 0 0 LW * ?", ["01-30", "02-27", "03-31"]),
        ("0 0 0 15W * ?", ["01-15", "02-16", "03-16"]),
        ("0 0 0 1W 8 ?", ["08-03"]),
        ("0 0 0 ? * 6#3", ["01-16", "02-20", "03-20"]),
        ("0 0 0 ? * fri#5", ["01-30", "05-29", "07-31"]),
        ("0 0 0 ? * FRIL", ["01-30", "02-27", "03-27"]),
        ("0 0 0 ? * L", ["01-03", "01-10", "01-17"]),
        ("0 0 0 ? * FRI-MON", ["01-02", "01-03", "01-04"]),
        ("0 0 0 31 * ?", ["01-31", "03-31", "05-31"]),
        ("0 0 0 1 JAN/6 ?", ["07-01"]),
    ],
)
def test_days_are_those_of_quartz(text: str, days: list[str]) -> None:
    found = fires(text, "UTC", "2026-01-01T00:00:00+00:00", len(days))
    assert found == [f"2026-{day}T00:00:00+00:00" for day in days]


def test_steps_ranges_and_lists_of_times() -> None:
    found = fires("0,30 5/20 8-9 ? * MON-FRI *", "UTC", "2026-01-02T08:05:00+00:00", 4)
    times = ["08:05:30", "08:25:00", "08:25:30", "08:45:00"]
    assert found == [f"2026-01-02T{time}+00:00" for time in times]


def test_a_time_that_spring_skips_fires_an_hour_later() -> None:
    found = fires("0 30 2 * * ?", "America/New_York", "2026-03-07T12:00:00+00:00", 2)
    assert found == ["2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"]


def test_an_hourly_schedule_keeps_its_hour_in_spring() -> None:
    found = fires("0 0 * * * ?", "America/New_York", "2026-03-08T05:30:00+00:00")
    assert [text[11:] for text in found] == ["01:00:00-05:00", "03:00:00-04:00", "04:00:00-04:00"]


def test_a_time_that_autumn_repeats_fires_once() -> None:
    found = fires("0 30 1 * * ?", "America/New_York", "2026-10-31T12:00:00+00:00", 2)
    assert found == ["2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"]


def test_in_utc_every_hour_is_an_hour() -> None:
    found = fires("0 0 * * * ?", "UTC", "2026-11-01T04:30:00+00:00")
    assert [text[11:16] for text in found] == ["05:00", "06:00", "07:00"]


@pytest.mark.parametrize("text", ["0 0 0 30 2 ?", "0 0 0 29 2 ? 2027", "0 0 0 1 1 ? 2020"])
def test_what_never_comes_is_none(text: str) -> None:
    assert Cron.of(text, "UTC").next_after(1_780_000_000_000) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 0 * * *", "5 fields"),
        ("0 0 0 * * *", r"needs a \?"),
        ("0 0 0 ? * ?", r"needs a \?"),
        ("0 60 0 * * ?", "'60' as minutes"),
        ("0 0 24 * * ?", "'24' as hours"),
        ("0 0 0 32 * ?", "'32' as day of month"),
        ("0 0 0 ? * MOO", "'MOO' as day of week"),
        ("0 0 0 ? * 2#6", "'2#6' as day of week"),
        ("0 0 0 ? 13 1", "'13' as month"),
        ("0 0/0 0 * * ?", "'0/0' as minutes"),
        ("0 0 0 1,,2 * ?", "'' as day of month"),
        ("0 0 0 L,3 * ?", "'L' as day of month"),
        ("0 0 0 * * ? 1900", "'1900' as year"),
    ],
)
def test_what_quartz_does_not_take_is_named(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Cron.of(text, "UTC")


def test_a_time_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="'Mars/Olympus'"):
        Cron.of("0 0 0 * * ?", "Mars/Olympus")

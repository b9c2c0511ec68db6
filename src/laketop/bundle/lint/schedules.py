"""Schedules that never come, and those that run where they should rest."""

from __future__ import annotations

import calendar
import re
import zoneinfo
from collections.abc import Iterator

from laketop.bundle.lint.jobs import Job
from laketop.bundle.nodes import Node, Path
from laketop.bundle.patterns import EACH, found
from laketop.bundle.problems import Problems

_MONTHS = {name.upper(): i for i, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: i for i, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("seconds", 0, 59, {}),
    ("minutes", 0, 59, {}),
    ("hours", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _WEEKDAYS),
    ("year", 1970, 2099, {}),
)
_SPECIAL = re.compile(r"L(-\d+)?|LW|\d+W|\d*L|[1-7A-Z]+#[1-5]|[A-Z]{3}L")
_STEP = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?")
_LEAP, _FOUR_YEARS = 29, 4


def check_schedules(job: Job, mode: str | None, this_year: int, problems: Problems) -> None:
    """Report a cron that never comes, and a trigger that runs in development."""
    for path, trigger in _triggers(job):
        if path[-1] == "schedule":
            _check_cron(job, (path, trigger), this_year, problems)
        for at, cron in found(trigger, ("schedule",), path):
            _check_cron(job, (at, cron), this_year, problems)
        status = trigger.get("pause_status")
        if mode == "development" and status is not None and status.text == "UNPAUSED":
            name = path[3] if len(path) == 4 else f"{path[3]}[{path[4]}]"
            message = f"job {job.key!r} has its {name} running in a target for development"
            hint = "leave pause_status out, then it is paused in development"
            at = (*path, "pause_status")
            problems.warning(message, at, status, hint, code="unpaused-in-development")


def _triggers(job: Job) -> Iterator[tuple[Path, Node]]:
    for pattern in (("schedule",), ("trigger",), ("continuous",), ("triggers", EACH)):
        yield from found(job.node, pattern, job.path)


def _check_cron(job: Job, schedule: tuple[Path, Node], this_year: int, problems: Problems) -> None:
    path, node = schedule
    cron = node.get("quartz_cron_expression")
    if cron is not None and "${" not in cron.text:
        why = never(cron.text, this_year)
        if why is not None:
            message = f"the schedule {cron.text!r} of job {job.key!r} never comes: {why}"
            hint = "Quartz has the fields: seconds minutes hours day-of-month month day-of-week"
            at = (*path, "quartz_cron_expression")
            problems.warning(message, at, cron, hint, code="cron-never-fires")
    zone = node.get("timezone_id")
    if zone is not None and "${" not in zone.text and not _is_zone(zone.text):
        message = f"{zone.text!r} is no time zone"
        at = (*path, "timezone_id")
        problems.warning(message, at, zone, "such as Europe/Berlin", code="cron-never-fires")


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def never(expression: str, this_year: int) -> str | None:
    """Return why a Quartz expression never fires from `this_year` on, or None if it does.

    >>> never("0 0 0 30 2 ?", 2026)
    'no month that it names has such a day'
    """
    parts = expression.upper().split()
    if len(parts) not in {6, 7}:
        return f"it has {len(parts)} fields, not 6 or 7"
    values: list[frozenset[int] | None] = []
    for text, (name, low, high, names) in zip(parts, _FIELDS, strict=False):
        try:
            values.append(_values(text, low, high, names))
        except ValueError:
            return f"{text!r} is no {name}"
    if (parts[3] == "?") is (parts[5] == "?"):
        return "one of day of month and day of week must be ?"
    years = values[6] if len(parts) == 7 else None
    if years is not None and not any(year >= this_year for year in years):
        return "its years are over"
    return _without_a_day(values[3], values[4], years, this_year)


def _without_a_day(
    days: frozenset[int] | None,
    months: frozenset[int] | None,
    years: frozenset[int] | None,
    this_year: int,
) -> str | None:
    if days is None:
        return None
    for month in months or range(1, 13):
        for year in sorted(years or range(this_year, this_year + 2 * _FOUR_YEARS + 1)):
            if year >= this_year and min(days) <= calendar.monthrange(year, month)[1]:
                return None
    if days == {_LEAP}:
        return "none of its years has a 29 February"
    return "no month that it names has such a day"


def _values(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int] | None:
    """Return the numbers that a field allows; None for all, and for what only a calendar knows."""
    if text in {"*", "?"}:
        return None
    made: set[int] = set()
    for part in text.split(","):
        if _SPECIAL.fullmatch(part) and not part.isdecimal():
            return None
        match = _STEP.fullmatch(part)
        if match is None:
            raise ValueError(part)
        first, _, last = match[1].partition("-")
        start = low if first == "*" else _number(first, names)
        stop = high if first == "*" or (match[2] and not last) else start
        stop = _number(last, names) if last else stop
        if not (low <= start <= high and low <= stop <= high) or match[2] == "0":
            raise ValueError(part)
        numbers = range(start, stop + 1) if start <= stop else (*range(start, high + 1), stop)
        made.update(numbers[:: int(match[2] or 1)])
    return frozenset(made)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)

"""Schedules that never come, and those that run where they should rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from laketop.bundle.cron import Cron, zone_of
from laketop.bundle.lint.jobs import Job
from laketop.bundle.nodes import Node, Path
from laketop.bundle.patterns import EACH, found
from laketop.bundle.problems import Problems
from laketop.errors import ConfigError


def check_schedules(job: Job, mode: str | None, now: dt.datetime, problems: Problems) -> None:
    """Report a cron that never comes, and a trigger that runs in development."""
    for path, trigger in _triggers(job):
        if path[-1] == "schedule":
            _check_cron(job, (path, trigger), now, problems)
        for at, cron in found(trigger, ("schedule",), path):
            _check_cron(job, (at, cron), now, problems)
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


def _check_cron(
    job: Job, schedule: tuple[Path, Node], now: dt.datetime, problems: Problems
) -> None:
    path, node = schedule
    cron = node.get("quartz_cron_expression")
    if cron is not None and "${" not in cron.text:
        why = never(cron.text, now)
        if why is not None:
            message = f"the schedule {cron.text!r} of job {job.key!r} never comes: {why}"
            hint = "Quartz has the fields: seconds minutes hours day-of-month month day-of-week"
            at = (*path, "quartz_cron_expression")
            problems.warning(message, at, cron, hint, code="cron-never-fires")
    zone = node.get("timezone_id")
    if zone is not None and "${" not in zone.text:
        try:
            zone_of(zone.text)
        except ConfigError as error:
            at = (*path, "timezone_id")
            problems.warning(error.message, at, zone, error.hint, code="cron-never-fires")


def never(expression: str, now: dt.datetime) -> str | None:
    """Return why a Quartz expression never fires from `now` on, or None if it does.

    >>> never("0 0 0 30 2 ?", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    'no day to come is one that it names'
    """
    try:
        cron = Cron.of(expression, "UTC")
    except ConfigError as error:
        return error.message
    # A day earlier, as it is still that day in some time zone.
    since = now - dt.timedelta(days=1)
    if cron.next_after(int(since.timestamp() * 1000)) is not None:
        return None
    return "no day to come is one that it names"

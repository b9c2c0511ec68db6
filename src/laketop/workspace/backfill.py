"""For which times a job is filled in, and what its parameters then say.

Source: Databricks docs, dynamic values and job triggers; that parameters which take their time from
the run take it from the backfill is Databricks' page on backfills. Units: epoch ms.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.bundle.cron import Cron
from laketop.errors import ConfigError
from laketop.workspace.triggers import UNIT_MS

MOST_RUNS: Final = 100
_OWN_TIME: Final = re.compile(r"\{\{\s*job\.(?:trigger\.time|start_time)\.")
_BACKFILL: Final = re.compile(r"\{\{\s*backfill\.")


def times(settings: Mapping[str, Any], from_ms: int, to_ms: int, every_ms: int | None) -> list[int]:
    """Return the times from `from_ms`, included, to `to_ms`, not included.

    Without `every_ms` they are those of the job's own schedule or interval, paused or not.
    Errors: InvalidParameterValue for none, for more than 100, and for a job without a schedule.
    """
    if every_ms is not None and every_ms < 1:
        raise InvalidParameterValue("every_ms is less than 1.")
    found = list(itertools.islice(_all(settings, from_ms, to_ms, every_ms), MOST_RUNS + 1))
    if not found:
        raise InvalidParameterValue("No time lies between the two ends of the backfill.")
    if len(found) > MOST_RUNS:
        raise InvalidParameterValue(
            f"A backfill is at most {MOST_RUNS} runs; take a shorter one, or a longer interval."
        )
    return found


def _all(
    settings: Mapping[str, Any], from_ms: int, to_ms: int, every_ms: int | None
) -> Iterable[int]:
    schedule = settings.get("schedule")
    if every_ms is None and schedule:
        try:
            cron = Cron.of(schedule["quartz_cron_expression"], schedule["timezone_id"])
        except ConfigError as error:
            raise InvalidParameterValue(error.message) from error
        return cron.between(from_ms, to_ms)
    periodic = (settings.get("trigger") or {}).get("periodic")
    if every_ms is None and periodic:
        every_ms = periodic["interval"] * UNIT_MS[periodic["unit"]]
    if every_ms is None:
        raise InvalidParameterValue(
            "The job has no schedule of its own: say how far apart the runs of the backfill are."
        )
    return range(from_ms, to_ms, every_ms)


def parameters(settings: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return the job parameters of a backfill: what is given, and the time where a default has it.

    `{{job.trigger.time.…}}` and `{{job.start_time.…}}` in a default become `{{backfill.…}}`.
    Errors: InvalidParameterValue if no parameter tells the runs apart.
    """
    own = {}
    for parameter in settings.get("parameters") or ():
        text = str(parameter.get("default", ""))
        if _OWN_TIME.search(text) or _BACKFILL.search(text):
            own[parameter["name"]] = _OWN_TIME.sub("{{backfill.", text)
    found = {**own, **given}
    if not any(_BACKFILL.search(text) for text in found.values()):
        raise InvalidParameterValue(
            "No job parameter says which time is filled in: set one to"
            " '{{backfill.iso_datetime}}', or let its default be '{{job.trigger.time.iso_date}}'."
        )
    return found

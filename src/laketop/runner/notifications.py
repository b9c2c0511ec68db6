"""What happens in a run, and who wants to be told. Source: Databricks docs, notifications."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ON_START: Final = "on_start"
ON_SUCCESS: Final = "on_success"
ON_FAILURE: Final = "on_failure"
ON_DURATION: Final = "on_duration_warning_threshold_exceeded"
DURATION_METRIC: Final = "RUN_DURATION_SECONDS"
MOST_WEBHOOKS: Final = 3
"""Of one event."""
_FAILURES: Final = frozenset({"FAILED", "TIMEDOUT"})
_SILENCED: Final = {
    "CANCELED": "no_alert_for_canceled_runs",
    "MAXIMUM_CONCURRENT_RUNS_REACHED": "no_alert_for_skipped_runs",
}
"""Results of which on_failure tells too, unless the setting says no."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """Something in a run that people may want to hear of."""

    name: str
    """As in `email_notifications`."""
    at_ms: int
    task: Mapping[str, Any] | None = None
    """The settings of the task, None for the run as a whole.

    That the run as a whole tells its end once, and not those of its tasks, is unverified.
    """
    task_run_id: int | None = None
    result: str | None = None
    is_retry: bool = False
    will_retry: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipients:
    """Who is told."""

    emails: tuple[str, ...]
    webhooks: tuple[str, ...]
    """Ids of notification destinations."""

    def __bool__(self) -> bool:
        """Return whether there is anyone."""
        return bool(self.emails or self.webhooks)


def name_of_end(result: str) -> str | None:
    """Return the event that the end of a run or task with this result is, None for none.

    >>> name_of_end("SUCCESS"), name_of_end("TIMEDOUT"), name_of_end("SUCCESS_WITH_FAILURES")
    ('on_success', 'on_failure', None)
    """
    if result == "SUCCESS":
        return ON_SUCCESS
    return ON_FAILURE if result in _FAILURES or result in _SILENCED else None


def recipients(job: Mapping[str, Any], event: Event) -> Recipients:
    """Return who is told of an event: those of the task, or of the job for the run as a whole."""
    settings = job if event.task is None else event.task
    rules = settings.get("notification_settings") or {}
    if _is_silenced(rules, event):
        return Recipients(emails=(), webhooks=())
    emails = (settings.get("email_notifications") or {}).get(event.name) or ()
    hooks = (settings.get("webhook_notifications") or {}).get(event.name) or ()
    return Recipients(emails=tuple(emails), webhooks=tuple(str(hook["id"]) for hook in hooks))


def warning_seconds(settings: Mapping[str, Any]) -> int | None:
    """Return after how many seconds a job or task is to warn of its duration, None for never."""
    rules = (settings.get("health") or {}).get("rules") or ()
    values = [rule["value"] for rule in rules if rule.get("metric") == DURATION_METRIC]
    return min(values, default=None)


def _is_silenced(rules: Mapping[str, Any], event: Event) -> bool:
    if event.name == ON_FAILURE and rules.get(_SILENCED.get(event.result or "", "")):
        return True
    if not rules.get("alert_on_last_attempt"):
        return False
    return (event.name == ON_START and event.is_retry) or (
        event.name == ON_FAILURE and event.will_retry
    )

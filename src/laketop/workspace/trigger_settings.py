"""The triggers that a job's settings name: read, checked, refused by name where not built."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.bundle.cron import Cron
from laketop.errors import ConfigError
from laketop.workspace.model_events import CONDITIONS
from laketop.workspace.triggers import (
    UNIT_MS,
    Always,
    Every,
    Mark,
    OnArrival,
    OnModel,
    OnSchedule,
    OnUpdate,
    Trigger,
)

LEAST_SECONDS: Final = 60
MOST_TABLES: Final = 10
"""Unverified."""
MOST_ALIASES: Final = 10
_DEEPEST_SCOPE: Final = 3
_KINDS: Final = (
    *("periodic", "schedule", "continuous", "file_arrival", "table_update"),
    *("model", "job_completion"),
)
_CONDITIONS: Final = {"ANY_UPDATED": False, "ALL_UPDATED": True}


def triggers_of(settings: Mapping[str, Any]) -> list[tuple[str, Trigger]]:
    """Return the triggers of a job that are not paused, each after a text that tells it apart.

    Errors: InvalidParameterValue for one that cannot be; NotServed for one that laketop does not
    have yet. A paused one is checked, and not refused.
    """
    found = []
    for kind, given, is_paused in _given(settings):
        text = _text(kind, given)
        trigger = _read(kind, given, is_paused=is_paused)
        if trigger is not None and not is_paused:
            found.append((text, trigger))
    return found


def states_of(
    settings: Mapping[str, Any], mark_of: Callable[[str], Mark | None]
) -> list[dict[str, Any]]:
    """Return how each trigger of a job stands, in their order, as the SDK's `PerTriggerState`.

    `mark_of` tells what is known of the one with a text of `triggers_of`, None where it is paused.
    """
    return [
        {
            kind: _state(kind, given, mark_of(_text(kind, given))),
            "pause_status": "PAUSED" if is_paused else "UNPAUSED",
        }
        for kind, given, is_paused in _given(settings)
    ]


def _state(kind: str, given: Mapping[str, Any], mark: Mark | None) -> dict[str, Any]:
    if kind == "file_arrival":
        return {"using_file_events": False}
    if kind == "table_update":
        changed = mark.changed_ms if mark is not None else {}
        tables = [
            {"table_name": name, "has_seen_updates": name in changed}
            for name in given.get("table_names") or ()
        ]
        return {"last_seen_table_states": tables, "using_scalable_monitoring": False}
    if kind == "continuous" and mark is not None:
        waits = mark.failures > 0 and mark.run_id is None
        following = {"next_attempt_ms": mark.next_ms} if waits else {}
        return {"consecutive_failures": mark.failures, "is_backing_off": waits, **following}
    return {}


def _text(kind: str, given: Mapping[str, Any]) -> str:
    return json.dumps({kind: {k: v for k, v in given.items() if k != "pause_status"}})


def of_continuous_run(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of a job as its continuous runs take them.

    With the task_retry_mode NEVER, which is the default, no task is retried.
    """
    if (settings.get("continuous") or {}).get("task_retry_mode") == "ON_FAILURE":
        return settings
    tasks = [{**task, "max_retries": 0} for task in settings.get("tasks") or ()]
    return {**settings, "tasks": tasks}


def _given(settings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], bool]]:
    listed = list(settings.get("triggers") or ())
    if settings.get("trigger"):
        listed.append(settings["trigger"])
    alone = {
        kind: settings[kind]
        for kind in ("schedule", "continuous")
        if settings.get(kind) is not None
    }
    found = [(kind, given, given.get("pause_status") == "PAUSED") for kind, given in alone.items()]
    for one in listed:
        kinds = [kind for kind in _KINDS if one.get(kind) is not None]
        if len(kinds) != 1:
            raise InvalidParameterValue(
                f"A trigger is one of {', '.join(_KINDS)}, not {len(kinds)} of them."
            )
        more = {name: one[name] for name in ("sql_condition",) if one.get(name)}
        is_paused = one.get("pause_status") == "PAUSED"
        found.append((kinds[0], {**one[kinds[0]], **more}, is_paused))
    return found


def _read(kind: str, given: Mapping[str, Any], *, is_paused: bool) -> Trigger | None:
    missing = kind if kind == "job_completion" else None
    missing = "sql_condition" if given.get("sql_condition") else missing
    if missing is not None:
        if is_paused:
            return None
        raise NotServed(f"laketop does not have the trigger {missing} yet; pause it to deploy.")
    try:
        return _READERS[kind](given)
    except ConfigError as error:
        hint = f" ({error.hint})" if error.hint else ""
        raise InvalidParameterValue(f"{error.message}{hint}") from error


def _schedule(given: Mapping[str, Any]) -> Trigger:
    return OnSchedule(Cron.of(given["quartz_cron_expression"], given["timezone_id"]))


def _periodic(given: Mapping[str, Any]) -> Trigger:
    interval, unit = given["interval"], given["unit"]
    if interval < 1:
        raise ConfigError(f"the interval {interval} of a periodic trigger is less than 1")
    return Every(interval * UNIT_MS[unit])


def _arrival(given: Mapping[str, Any]) -> Trigger:
    url = given["url"]
    if not url.startswith(("/Volumes/", "dbfs:/", "file:/")):
        raise ConfigError(
            f"the url {url!r} of a file_arrival trigger is not on this machine",
            hint="laketop watches /Volumes/…, dbfs:/… and file:/…; pause the trigger, or let a"
            " variable of the bundle name the place",
        )
    least_ms, wait_ms = _timers(given)
    return OnArrival(url=url, least_ms=least_ms, wait_ms=wait_ms)


def _update(given: Mapping[str, Any]) -> Trigger:
    names = tuple(given["table_names"])
    if not 1 <= len(names) <= MOST_TABLES:
        raise ConfigError(
            f"a table_update trigger has {len(names)} tables, not from 1 to {MOST_TABLES}"
        )
    for name in names:
        if len(name.split(".")) != 3:
            raise ConfigError(
                f"the table {name!r} of a table_update trigger is not catalog.schema.table"
            )
    least_ms, wait_ms = _timers(given)
    is_all = _CONDITIONS[given.get("condition") or "ANY_UPDATED"]
    return OnUpdate(tables=names, is_all=is_all, least_ms=least_ms, wait_ms=wait_ms)


def _model(given: Mapping[str, Any]) -> Trigger:
    condition, aliases = given.get("condition"), tuple(given.get("aliases") or ())
    if condition not in CONDITIONS:
        raise ConfigError(
            f"the condition {condition!r} of a model trigger is none of {', '.join(CONDITIONS)}"
        )
    if aliases and condition != "MODEL_ALIAS_SET":
        raise ConfigError(f"a model trigger with the condition {condition} takes no aliases")
    if condition == "MODEL_ALIAS_SET" and not 1 <= len(aliases) <= MOST_ALIASES:
        raise ConfigError(
            f"a model trigger has {len(aliases)} aliases, not from 1 to {MOST_ALIASES}"
        )
    scope = given.get("securable_name") or ""
    names = scope.split(".") if scope else []
    if len(names) not in {0, _DEEPEST_SCOPE - 1, _DEEPEST_SCOPE} or not all(names):
        raise ConfigError(
            f"the securable_name {scope!r} of a model trigger is neither catalog.schema.model nor"
            " catalog.schema"
        )
    least_ms, wait_ms = _timers(given)
    return OnModel(
        scope=scope, condition=condition, aliases=aliases, least_ms=least_ms, wait_ms=wait_ms
    )


def _continuous(_: Mapping[str, Any]) -> Trigger:
    return Always()


def _timers(given: Mapping[str, Any]) -> tuple[int, int]:
    found = []
    for name in ("min_time_between_triggers_seconds", "wait_after_last_change_seconds"):
        seconds = given.get(name) or 0
        if seconds and seconds < LEAST_SECONDS:
            raise ConfigError(f"{name} is {seconds}, less than {LEAST_SECONDS}")
        found.append(seconds * 1000)
    return found[0], found[1]


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Trigger]]] = {
    "schedule": _schedule,
    "periodic": _periodic,
    "file_arrival": _arrival,
    "table_update": _update,
    "model": _model,
    "continuous": _continuous,
}

"""What a job may be made of, and how its settings are changed and paged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.jobs import JobSettings

from laketop.errors import ConfigError
from laketop.runner import variables
from laketop.runner.graph import Graph
from laketop.runner.notifications import MOST_WEBHOOKS
from laketop.workspace.shapes import shaped

PAGE = 100
"""How many items of an array one answer holds. Source: Jobs API 2.2, limits."""
QUEUE_DEFAULT = True
"""Whether runs queue at the limit if the job does not say; unverified."""

_MOST_RUNS = 1000
_MOST_TASKS = 1000
_MOST_TAGS = 25
_LONGEST_NAME = 4096
_LARGEST_PARAMETERS = 2**20
"""Of the base_parameters of a notebook task, as JSON. Source: Databricks docs, job parameters."""
_PARAMETER = re.compile(r"[A-Za-z0-9_.\-]+")
_KEYS = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "environments": "environment_key",
    "parameters": "name",
}
"""The arrays of a job and the field that names their items."""
_NOT_OF_A_JOB = ("access_control_list", "job_id", "idempotency_token")
_BESIDE_TRIGGERS = ("schedule", "trigger", "continuous")
_SINGLE_TASK = ("notebook_task", "spark_python_task", "spark_jar_task", "spark_submit_task")


def checked(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a job as they were sent, whole numbers as numbers.

    Errors: InvalidParameterValue for what a job cannot have; NotServed for the form of a single
    task of older versions.
    """
    fields = {name: value for name, value in sent.items() if name not in _NOT_OF_A_JOB}
    settings: dict[str, Any] = shaped(JobSettings, fields)
    old = [name for name in _SINGLE_TASK if settings.get(name) is not None]
    if old:
        raise NotServed(f"laketop does not take {old[0]} outside of tasks.")
    _check_limits(settings)
    try:
        variables.check(settings.get("environment_variables"))
        Graph.of(settings.get("tasks") or ())
    except ConfigError as error:
        raise InvalidParameterValue(error.message) from error
    return settings


def _check_limits(settings: Mapping[str, Any]) -> None:
    if not 0 <= _or(settings.get("max_concurrent_runs"), 1) <= _MOST_RUNS:
        raise InvalidParameterValue(f"max_concurrent_runs is not from 0 to {_MOST_RUNS}.")
    if len(settings.get("tasks") or ()) > _MOST_TASKS:
        raise InvalidParameterValue(f"A job has at most {_MOST_TASKS} tasks.")
    if len(settings.get("tags") or ()) > _MOST_TAGS:
        raise InvalidParameterValue(f"A job has at most {_MOST_TAGS} tags.")
    if len((settings.get("name") or "").encode()) > _LONGEST_NAME:
        raise InvalidParameterValue(f"A job's name has at most {_LONGEST_NAME} bytes.")
    if settings.get("schedule") and settings.get("continuous"):
        raise InvalidParameterValue("A job has a schedule or is continuous, not both.")
    beside = [name for name in _BESIDE_TRIGGERS if settings.get(name) is not None]
    if settings.get("triggers") and beside:
        raise InvalidParameterValue(f"A job has triggers or a {beside[0]}, not both.")
    for parameter in settings.get("parameters") or ():
        if not _PARAMETER.fullmatch(parameter["name"]):
            raise InvalidParameterValue(f"The parameter {parameter['name']!r} cannot be named so.")
    for item in (settings, *_every_task(settings)):
        _check_webhooks(item)
    for task in _every_task(settings):
        _check_base_parameters(task)


def _check_webhooks(item: Mapping[str, Any]) -> None:
    for event, hooks in (item.get("webhook_notifications") or {}).items():
        if len(hooks or ()) > MOST_WEBHOOKS:
            raise InvalidParameterValue(f"{event} has at most {MOST_WEBHOOKS} webhooks.")


def _check_base_parameters(task: Mapping[str, Any]) -> None:
    given = (task.get("notebook_task") or {}).get("base_parameters") or {}
    if len(json.dumps(given, ensure_ascii=False).encode()) > _LARGEST_PARAMETERS:
        raise InvalidParameterValue(
            f"The base_parameters of task {task.get('task_key')} have more than 1 MB as JSON."
        )


def _every_task(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the tasks of a job, and those that a for_each task runs for each input."""
    for task in settings.get("tasks") or ():
        yield task
        nested = (task.get("for_each_task") or {}).get("task")
        if nested:
            yield nested


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def limit_of(settings: Mapping[str, Any]) -> int:
    """Return how many runs of a job may be active at once."""
    return _or(settings.get("max_concurrent_runs"), 1)


def queues(settings: Mapping[str, Any], queue: Mapping[str, Any] | None) -> bool:
    """Return whether a run at the limit waits; `queue` is the wish of the run itself."""
    wished = queue if queue is not None else settings.get("queue")
    return QUEUE_DEFAULT if wished is None else bool(wished.get("enabled", QUEUE_DEFAULT))


def updated(
    settings: Mapping[str, Any], new: Mapping[str, Any], removed: list[str]
) -> dict[str, Any]:
    """Return settings with fields replaced, arrays merged by key, and fields removed.

    `removed` names top-level fields, or `tasks/KEY` and `job_clusters/KEY`.
    Source: the SDK's docstring of `jobs.update`.
    """
    changed = dict(settings)
    for path in removed:
        field, _, key = path.partition("/")
        if not key:
            changed.pop(field, None)
        elif field in _KEYS:
            kept = [i for i in changed.get(field) or () if i.get(_KEYS[field]) != key]
            changed[field] = kept
    for name, value in new.items():
        if name in _KEYS and isinstance(value, list):
            changed[name] = _merged(changed.get(name) or (), value, _KEYS[name])
        else:
            changed[name] = value
    return changed


def _merged(old: Any, new: list[Any], key: str) -> list[Any]:
    replaced = {item.get(key): item for item in new if isinstance(item, dict)}
    if len(replaced) != len(new):
        raise InvalidParameterValue(f"The items of an array differ by {key}.")
    kept = [replaced.pop(item[key], item) for item in old]
    return [*kept, *replaced.values()]


def paged(
    whole: Mapping[str, Any], names: tuple[str, ...], token: str | None
) -> tuple[dict[str, Any], str | None]:
    """Return `whole` with one page of each of its arrays, and the token of the next page.

    Errors: InvalidParameterValue for a token that is none.
    """
    if token and not re.fullmatch("[0-9]{1,9}", token):
        raise InvalidParameterValue(f"The page token {token[:100]!r} is not one.")
    start = int(token or 0)
    arrays = {name: whole[name] for name in names if isinstance(whole.get(name), list)}
    page = {name: items[start : start + PAGE] for name, items in arrays.items()}
    more = any(len(items) > start + PAGE for items in arrays.values())
    return {**whole, **page}, str(start + PAGE) if more else None


ARRAYS = tuple(_KEYS)

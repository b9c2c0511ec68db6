"""The settings that a run is made with: the job's own, and what the call gives that starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.runner.git_source import with_repository

_LARGEST = 10_000
"""Bytes of the parameters of tasks, as JSON. Source: Databricks docs, job parameters."""
_LEGACY = {
    "notebook_params": ("notebook_task", "base_parameters"),
    "python_params": ("spark_python_task", "parameters"),
    "python_named_params": ("python_wheel_task", "named_parameters"),
    "dbt_commands": ("dbt_task", "commands"),
}
"""Parameters of a run from before job parameters, and the settings of tasks that they become."""


def run_as_of(settings: Mapping[str, Any]) -> str | None:
    """Return the principal that `run_as` names, None if it names none."""
    run_as = settings.get("run_as") or {}
    return run_as.get("user_name") or run_as.get("service_principal_name")


def refuse_given(**given: Any) -> None:
    """Refuse parameters that are not served, by name. Errors: NotServed."""
    for name, value in given.items():
        if value:
            raise NotServed(f"laketop does not take {name}; use job_parameters.")


def given_to_tasks(job_parameters: Any, **legacy: Any) -> dict[str, Any]:
    """Return parameters of tasks, from before job parameters, by the names of run-now.

    Errors: InvalidParameterValue for both at once, and for too many bytes of one of them.
    """
    if job_parameters and any(legacy.values()):
        raise InvalidParameterValue("job_parameters do not mix with parameters of tasks.")
    for name, value in legacy.items():
        if value and len(json.dumps({name: value}, ensure_ascii=False).encode()) > _LARGEST:
            raise InvalidParameterValue(f"{name} has more than {_LARGEST} bytes as JSON.")
    return legacy


def with_parameters(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, with `given_to_tasks` in those of their tasks."""
    tasks = [dict(task) for task in settings.get("tasks") or ()]
    for name, (kind, field) in _LEGACY.items():
        value = given.get(name)
        for task in tasks if value else ():
            if task.get(kind):
                old = task[kind].get(field) or {}
                task[kind] = {
                    **task[kind],
                    field: {**old, **value} if isinstance(value, dict) else value,
                }
    return {**settings, "tasks": tasks}


def with_environments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, each task with the environments and the repository that it needs."""
    environments = settings.get("environments") or []
    git = settings.get("git_source")

    def given(task: Mapping[str, Any]) -> dict[str, Any]:
        each = task.get("for_each_task") or {}
        nested = {"for_each_task": {**each, "task": given(each["task"])}} if each else {}
        own = {"environments": environments} if task.get("environment_key") else {}
        return {**with_repository(task, git), **own, **nested}

    return {**settings, "tasks": [given(task) for task in settings.get("tasks") or ()]}

"""The settings that a run is made with: the job's own, and what the call gives that starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.runner.git_source import with_repository
from laketop.workspace.shapes import shaped

_LARGEST = 10_000
"""Bytes of the parameters of tasks, as JSON. Source: Databricks docs, job parameters."""
_LEGACY = {
    "notebook_params": {"notebook_task": "base_parameters"},
    "python_params": {"spark_python_task": "parameters", "python_wheel_task": "parameters"},
    "python_named_params": {"python_wheel_task": "named_parameters"},
    "jar_params": {"spark_jar_task": "parameters"},
    "spark_submit_params": {"spark_submit_task": "parameters"},
    "sql_params": {"sql_task": "parameters"},
    "dbt_commands": {"dbt_task": "commands"},
}
"""Parameters of a run from before job parameters, and the settings of tasks that they become."""
_LISTS = frozenset({"python_params", "jar_params", "spark_submit_params", "dbt_commands"})
_REFUSED = ("pipeline_params",)
"""Of tasks that do not run here."""


def run_as_of(settings: Mapping[str, Any]) -> str | None:
    """Return the principal that `run_as` names, None if it names none."""
    run_as = settings.get("run_as") or {}
    return run_as.get("user_name") or run_as.get("service_principal_name")


def given_to_tasks(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of tasks, from before job parameters, among the fields of a call.

    `sent` is all that run-now, repair or a run_job task says.
    Errors: NotServed for those of tasks that do not run here; InvalidParameterValue for one of
    another type or with too many bytes, and for job parameters beside them, which is unverified.
    """
    for name in _REFUSED:
        if sent.get(name):
            raise NotServed(f"laketop does not take {name}; use job_parameters.")
    legacy = {name: _read(name, sent[name]) for name in _LEGACY if sent.get(name)}
    if legacy and sent.get("job_parameters"):
        raise InvalidParameterValue("job_parameters do not mix with parameters of tasks.")
    if "jar_params" in legacy and "notebook_params" in legacy:
        raise InvalidParameterValue("jar_params do not mix with notebook_params.")
    return legacy


def _read(name: str, value: Any) -> Any:
    read = shaped(list[str] if name in _LISTS else dict[str, str], value, name)
    if len(json.dumps({name: read}, ensure_ascii=False).encode()) > _LARGEST:
        raise InvalidParameterValue(f"{name} has more than {_LARGEST} bytes as JSON.")
    return read


def with_parameters(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, with `given_to_tasks` in those of their tasks."""
    tasks = [dict(task) for task in settings.get("tasks") or ()]
    for name, value in given.items():
        for kind, field in _LEGACY[name].items():
            for task in tasks:
                if task.get(kind):
                    task[kind] = _with(task[kind], field, value)
    return {**settings, "tasks": tasks}


def _with(settings: Mapping[str, Any], field: str, value: Any) -> dict[str, Any]:
    """Return the settings of one task with a parameter more; lists replace what was there."""
    if isinstance(value, dict):
        return {**settings, field: {**(settings.get(field) or {}), **value}}
    named = {"named_parameters": None} if settings.get("named_parameters") else {}
    return {**settings, **named, field: value}


def with_environments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, each task with what it needs of its job.

    That is its environments, its environment variables and its repository.
    """
    environments = settings.get("environments") or []
    variables = settings.get("environment_variables") or []
    git = settings.get("git_source")

    def given(task: Mapping[str, Any]) -> dict[str, Any]:
        each = task.get("for_each_task") or {}
        nested = {"for_each_task": {**each, "task": given(each["task"])}} if each else {}
        own = {"environments": environments} if task.get("environment_key") else {}
        if task.get("environment_variables_key"):
            own["environment_variables"] = variables
        return {**with_repository(task, git), **own, **nested}

    return {**settings, "tasks": [given(task) for task in settings.get("tasks") or ()]}

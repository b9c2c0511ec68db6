"""What follows `--` in `laketop run KEY -- …`: parameters of the job, or of its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.errors import LaketopError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OF_TASKS = {
    "notebook_task": "notebook_params",
    "sql_task": "sql_params",
    "spark_python_task": "python_params",
    "python_wheel_task": "python_params",
    "spark_jar_task": "jar_params",
    "spark_submit_task": "spark_submit_params",
}
"""The field of run-now for each type of task that takes some."""
_LISTS = frozenset({"python_params", "jar_params", "spark_submit_params"})


def fields_of(key: str, job: Mapping[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """Return the fields of run-now for the arguments of a job with these settings.

    `--name value` and `--name=value` are job parameters, where the job declares some, and
    parameters of its tasks otherwise; tasks in Python and jars take all arguments as they are.
    Errors: LaketopError for arguments that the job cannot take.
    Source: Databricks docs, bundle commands.
    """
    if not arguments:
        return {}
    declared = [str(one["name"]) for one in job.get("parameters") or ()]
    if declared:
        given = _pairs(arguments)
        unknown = sorted(given.keys() - set(declared))
        if unknown:
            hint = f"it declares {', '.join(declared)}"
            raise LaketopError(f"the job {key!r} has no parameter {unknown[0]!r}", hint=hint)
        return {"job_parameters": given}
    tasks = job.get("tasks") or ()
    fields = sorted({_OF_TASKS[name] for task in tasks for name in _OF_TASKS if task.get(name)})
    if len(fields) != 1:
        raise LaketopError(
            f"the job {key!r} declares no parameters, and its tasks are not of one kind that does",
            hint="declare `parameters` in the job",
        )
    field = fields[0]
    return {field: list(arguments) if field in _LISTS else _pairs(arguments)}


def _pairs(arguments: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    left = iter(arguments)
    for argument in left:
        name, sign, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not name:
            raise LaketopError(f"{argument!r} is no parameter", hint="write `--name value`")
        if not sign:
            after = next(left, None)
            if after is None:
                raise LaketopError(f"the parameter {argument!r} has no value")
            value = after
        found[name] = value
    return found

"""`{{...}}`: references that stand for nothing, parameters that no job declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from laketop.bundle import nodes
from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.nodes import Node, leaves
from laketop.bundle.problems import Problems, near

REFERENCE: Final = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"\[([^\]]+)\]|`([^`]+)`|([^.`\[\]]+)")
_TIMES = frozenset(
    {*("iso_date", "iso_datetime", "year", "month", "day", "hour", "minute", "second")}
    | {*("timestamp_ms", "iso_weekday", "is_weekday")}
)
_JOB = frozenset({"id", "name", "run_id", "repair_count", "parameters", "start_time", "trigger"})
_TASK = frozenset({"name", "run_id", "execution_count", "notebook_path"})
_OF_TASKS = frozenset(
    {"values", "result_state", "run_id", "error_code", "execution_count", "notebook_path", "output"}
)
_KEYS: Final = {
    "job": _JOB,
    "task": _TASK,
    "workspace": frozenset({"id", "url"}),
    "backfill": frozenset({"iso_date", "iso_datetime"}),
}
OLD: Final = frozenset(
    {*("job_id", "run_id", "parent_run_id", "task_key", "start_date", "start_time")}
    | {"task_retry_count"}
)
"""References of one word, from before namespaces. Source: Databricks docs, dynamic values."""
_ROOTS = (*_KEYS, "tasks", "input", *sorted(OLD))
_ELSEWHERE = frozenset({"new_cluster", "libraries"})
"""Parts of a task in which `{{secrets/…}}` or nothing at all is replaced."""


def references_in(task: Task) -> Iterator[tuple[tuple[str, ...], str, nodes.Path, Node]]:
    """Yield the parts, the text, the path and the value of each reference in a task's settings."""
    own = task.node.without(*_ELSEWHERE)
    loop = own.get("for_each_task")
    if loop is not None:
        own = Node({**own.entries, "for_each_task": loop.without("task")}, own.place)
    for path, leaf in leaves(own):
        for found in REFERENCE.finditer(leaf.text):
            if "/" not in found[1]:
                yield parts_of(found[1]), found[0], (*task.path, *path), leaf


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts of a reference.

    >>> parts_of("job.parameters.[run-date]")
    ('job', 'parameters', 'run-date')
    """
    return tuple("".join(found).strip() for found in _PART.findall(text))


def check_references(job: Job, problems: Problems) -> None:
    """Report references that the runner cannot replace, and parameters that are not declared."""
    for task in job.tasks:
        for parts, text, path, node in references_in(task):
            if parts[:2] == ("job", "parameters") and len(parts) == 3:
                if parts[2] not in job.defaults:
                    _note_parameter(job, parts[2], path, node, problems)
                continue
            wrong = _wrong(parts, job, task)
            if wrong is not None:
                message, hint = wrong
                message = f"{text} stands for nothing: {message}"
                problems.warning(message, path, node, hint, code="unknown-reference")


def _note_parameter(job: Job, name: str, path: nodes.Path, node: Node, problems: Problems) -> None:
    message = f"job {job.key!r} declares no parameter {name!r}"
    hint = near(name, job.defaults) or "declare it under: parameters"
    problems.warning(message, path, node, hint, code="parameter-not-declared")


def _wrong(parts: tuple[str, ...], job: Job, task: Task) -> tuple[str, str | None] | None:
    root, keys = parts[0], parts[1:]
    if not keys and (root in OLD or (root == "input" and task.in_loop)):
        return None
    if root == "input":
        return (
            None if task.in_loop else ("only tasks inside of a for_each_task have an input", None)
        )
    if root == "tasks":
        return _wrong_task(keys, job)
    if root not in _KEYS:
        return f"{root!r} is no namespace", near(root, _ROOTS)
    if not keys or keys[0] not in _KEYS[root]:
        known = ", ".join(sorted(_KEYS[root]))
        return f"{root} has no {keys[0] if keys else 'value'!r}", (
            near(keys[0] if keys else "", _KEYS[root]) or f"it has {known}"
        )
    if root == "job" and keys[0] == "start_time" and keys[1:2] and keys[1] not in _TIMES:
        return f"job.start_time has no {keys[1]!r}", near(keys[1], _TIMES)
    return None


def _wrong_task(keys: tuple[str, ...], job: Job) -> tuple[str, str | None] | None:
    if not keys or keys[0] not in job.outer:
        name = keys[0] if keys else ""
        return f"the job has no task {name!r}", near(name, job.outer)
    if len(keys) < 2 or keys[1] not in _OF_TASKS:
        name = keys[1] if len(keys) > 1 else ""
        return f"a task has no {name!r}", near(name, _OF_TASKS)
    return None

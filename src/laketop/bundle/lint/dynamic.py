"""`{{...}}`: references that stand for nothing, parameters that no job declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from laketop.bundle import nodes
from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.nodes import Node, leaves
from laketop.bundle.problems import Problems, near

Wrong: TypeAlias = tuple[str, str | None]
"""Why a reference stands for nothing, and a hint."""
Level: TypeAlias = Mapping[str, "Level | None"] | None
"""What may follow a dot: names, each with what follows it. None: a value, which nothing follows."""

REFERENCE: Final = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"\[([^\]]+)\]|`([^`]+)`|([^.`\[\]]+)")
_WORD = r"(?:[A-Za-z0-9_]+|`[^`]+`|\[[A-Za-z0-9_]+\])"
_READABLE = re.compile(_WORD + r"(?:\." + _WORD + ")*")
_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_ANY: Final = "*"
"""Stands for every name."""


def _values(*names: str) -> dict[str, Level]:
    return dict.fromkeys(names)


_TIME: Final = _values(
    *("iso_date", "iso_datetime", "year", "month", "day", "hour", "minute", "second"),
    *("timestamp_ms", "iso_weekday", "is_weekday"),
)
_BY_NAME: Final[Level] = _values(_ANY)
_UNKNOWN: Final[dict[str, Level]] = {}
"""Of which nothing is said: it is a value, and anything may follow."""
_OPEN: Final[Level] = {_ANY: _UNKNOWN}
_JOB: Final[Mapping[str, Level]] = {
    **_values("id", "name", "run_id", "repair_count"),
    "start_time": _TIME,
    "trigger": {
        "type": None,
        "time": _TIME,
        "file_arrival": _values("location"),
        "table_update": _OPEN,
        "model": _values("updates"),
    },
}
_ROOTS: Final[Mapping[str, Level]] = {
    "job": {**_JOB, "parameters": _BY_NAME},
    "task": _values("name", "run_id", "execution_count", "notebook_path"),
    "workspace": _values("id", "url"),
    "backfill": _values("iso_date", "iso_datetime"),
}
_ROOTS_OF_DEFAULTS: Final[Mapping[str, Level]] = {
    "job": _JOB,
    "workspace": _ROOTS["workspace"],
    "backfill": _ROOTS["backfill"],
    **_values("job_id", "parent_run_id", "start_date", "start_time"),
}
"""Parameters have their values before any task begins."""
_OF_TASKS: Final[Mapping[str, Level]] = {
    **_values("result_state", "run_id", "error_code", "execution_count", "notebook_path"),
    "values": _BY_NAME,
    "output": _OPEN,
}
_TOLD_BY: Final = {"output": ("sql_task", "alert_task"), "notebook_path": ("notebook_task",)}
"""Facts of tasks that only some types of them have; unverified."""
OLD: Final = frozenset(
    {*("job_id", "run_id", "parent_run_id", "task_key", "start_date", "start_time")}
    | {"task_retry_count"}
)
"""References of one word, from before namespaces. Source: Databricks docs, dynamic values."""
_ELSEWHERE = frozenset({"new_cluster", "libraries"})
"""Parts of a task in which `{{secrets/…}}` or nothing at all is replaced."""


def references_in(task: Task) -> Iterator[tuple[tuple[str, ...], str, nodes.Path, Node]]:
    """Yield the parts, the text, the path and the value of each reference in a task's settings."""
    own = task.node.without(*_ELSEWHERE)
    loop = own.get("for_each_task")
    if loop is not None:
        own = Node({**own.entries, "for_each_task": loop.without("task")}, own.place)
    for path, leaf in leaves(own):
        for parts, text in _references(leaf):
            yield parts, text, (*task.path, *path), leaf


def _references(leaf: Node) -> Iterator[tuple[tuple[str, ...], str]]:
    for found in REFERENCE.finditer(leaf.text):
        if not found[1].startswith("secrets/"):
            yield parts_of(found[1]), found[0]


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts of a reference, as they are meant: `is_readable` says if they are read.

    >>> parts_of("job.parameters.`run-date`")
    ('job', 'parameters', 'run-date')
    """
    return tuple("".join(found).strip() for found in _PART.findall(text)) or (text,)


def is_readable(reference: str) -> bool:
    """Return whether a reference is written as one is; any other stays text as it is.

    >>> is_readable("{{job.parameters.run-date}}"), is_readable("{{job.parameters.`run-date`}}")
    (False, True)
    """
    return _READABLE.fullmatch(reference.strip("{}").strip()) is not None


def check_references(job: Job, problems: Problems) -> None:
    """Report references that the runner cannot replace, and parameters that are not declared."""
    _check_defaults(job, problems)
    for task in job.tasks:
        for parts, text, path, node in references_in(task):
            wrong = _miswritten(parts, text) or _wrong(parts, job, task)
            if wrong is not None:
                _note(text, wrong, path, node, problems)
            elif parts[:2] == ("job", "parameters") and parts[2] not in job.defaults:
                _note_parameter(job, parts[2], path, node, problems)


def _check_defaults(job: Job, problems: Problems) -> None:
    for index, parameter in enumerate((job.node.get("parameters") or Node(())).elements):
        default = parameter.get("default")
        if default is None:
            continue
        for parts, text in _references(default):
            wrong = _miswritten(parts, text)
            if wrong is None and parts[0] in {"task", "tasks", "input"}:
                wrong = "parameters have their values before any task begins", None
            wrong = wrong or _astray(parts, _ROOTS_OF_DEFAULTS)
            if wrong is not None:
                path = (*job.path, "parameters", index, "default")
                _note(text, wrong, path, default, problems)


def _note(text: str, wrong: Wrong, path: nodes.Path, node: Node, problems: Problems) -> None:
    message, hint = wrong
    message = f"{text} stands for nothing: {message}"
    problems.warning(message, path, node, hint, code="unknown-reference")


def _note_parameter(job: Job, name: str, path: nodes.Path, node: Node, problems: Problems) -> None:
    message = f"job {job.key!r} declares no parameter {name!r}"
    hint = near(name, job.defaults) or "declare it under: parameters"
    problems.warning(message, path, node, hint, code="parameter-not-declared")


def _miswritten(parts: tuple[str, ...], text: str) -> Wrong | None:
    if is_readable(text):
        return None
    message = "a name with other characters than letters, digits and _ stands in backticks"
    quoted = ".".join(part if _PLAIN.fullmatch(part) else f"`{part}`" for part in parts)
    is_of_names = parts[:2] == ("job", "parameters") or parts[0] in {"tasks", "input"}
    return message, f"write {{{{{quoted}}}}}" if is_of_names else None


def _wrong(parts: tuple[str, ...], job: Job, task: Task) -> Wrong | None:
    root, keys = parts[0], parts[1:]
    if root == "input":
        message = "only tasks inside of a for_each_task have an input"
        return None if task.in_loop else (message, None)
    if root == "tasks" and (not keys or keys[0] not in job.outer):
        name = keys[0] if keys else ""
        return f"the job has no task {name!r}", near(name, job.outer)
    if root == "tasks" and (wrong := _not_told(parts, job, task)) is not None:
        return wrong
    tasks: Level = dict.fromkeys(job.outer, _OF_TASKS)
    return _astray(parts, {**_ROOTS, "tasks": tasks, **_values(*OLD)}, loop=task.in_loop)


def _not_told(parts: tuple[str, ...], job: Job, task: Task) -> Wrong | None:
    """Return why a task tells another nothing; its values are looked at elsewhere."""
    name, facts = parts[1], parts[2:3]
    if facts and facts != ("values",) and name not in job.upstream.get(task.outer, frozenset()):
        hint = None if name == task.outer else f"let {task.outer!r} depend on {name!r}"
        return f"{name!r} does not run before {task.key!r}", hint
    for fact, types in _TOLD_BY.items():
        if facts == (fact,) and not any(type_ in job.outer[name].node.entries for type_ in types):
            return f"{name!r} has no {fact}", f"only a {' or '.join(types)} has one"
    return None


def _astray(
    parts: tuple[str, ...], roots: Mapping[str, Level], *, loop: bool = False
) -> Wrong | None:
    """Return where a reference leaves what there is below `roots`, or ends too early."""
    level: Level = roots
    for depth, part in enumerate(parts):
        place = ".".join(parts[:depth])
        if level is _UNKNOWN:
            return None
        if level is None:
            return f"{place} is a value, which nothing follows", None
        if part not in level and _ANY not in level:
            names = (*level, "input") if loop and not place else level
            known = f"it has {', '.join(sorted(level))}" if place else None
            message = f"{place} has no {part!r}" if place else f"{part!r} is no namespace"
            return message, near(part, names) or known
        level = level.get(part, level.get(_ANY))
    if level is None or level is _UNKNOWN:
        return None
    follows = "a name" if _ANY in level else f"one of {', '.join(sorted(level))}"
    return f"{'.'.join(parts)} is no value", f"after it comes {follows}"

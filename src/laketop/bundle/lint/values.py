"""Task values that nobody sets, and widgets that nothing gives a value."""

from __future__ import annotations

from collections.abc import Iterator

from laketop.bundle import nodes
from laketop.bundle.lint.dynamic import references_in
from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.nodes import Node, Place
from laketop.bundle.problems import Problems, near

_SETS_NONE = (
    *("condition_task", "run_job_task", "sql_task", "dbt_task", "pipeline_task"),
    "alert_task",
)


def check_values(job: Job, problems: Problems) -> None:
    """Report task values that are read and not set upstream, and widgets without a value."""
    for task in job.tasks:
        for name, key, path, at in _wanted(task, job):
            message = _unset(name, key, task, job)
            if message is not None:
                setter = job.outer.get(name)
                values = setter.code.values if setter is not None and setter.code else set()
                problems.warning(message, path, at, near(key, values), code="task-value-not-set")
        _check_widgets(task, job, problems)


def _wanted(task: Task, job: Job) -> Iterator[tuple[str, str, nodes.Path, Node | Place]]:
    for parts, _, path, node in references_in(task):
        if parts[0] == "tasks" and parts[2:3] == ("values",) and parts[1] in job.outer:
            yield parts[1], ".".join(parts[3:]), path, node
    for (name, key), place in (task.code.wanted if task.code else {}).items():
        yield name, key, task.path, place


def _unset(name: str, key: str, task: Task, job: Job) -> str | None:
    """Return why the value of another task is not there, or None."""
    if name not in job.upstream.get(task.outer, frozenset()):
        return f"task {task.key!r} reads a value of {name!r}, which does not run before it"
    setter = job.outer[name]
    if any(kind in setter.node.entries for kind in _SETS_NONE):
        return f"task {task.key!r} reads the value {key!r} of {name!r}, which can set none"
    if setter.node.get("notebook_task") is None or setter.code is None or not setter.is_readable:
        return None
    if key in setter.code.values or "values" in setter.code.open:
        return None
    return f"task {task.key!r} reads the value {key!r} of {name!r}, which never sets it"


def _check_widgets(task: Task, job: Job, problems: Problems) -> None:
    code = task.code
    if code is None or task.node.get("notebook_task") is None or "widgets" in code.open:
        return
    given = (task.node.get("notebook_task", "base_parameters") or Node({})).entries
    known = {*given, *job.defaults, *code.widgets}
    for name, place in code.asked.items():
        if name not in known:
            message = f"the notebook of task {task.key!r} reads the widget {name!r}"
            hint = near(name, known) or "give it as: base_parameters, or as a job parameter"
            path = (*task.path, "notebook_task")
            message = f"{message}, which nothing gives a value"
            problems.warning(message, path, place, hint, code="widget-without-parameter")

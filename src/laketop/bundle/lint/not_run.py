"""What a task asks for and the local runner refuses by name, told before it is met in a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from laketop.bundle import nodes
from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.nodes import Node
from laketop.bundle.patterns import EACH, found
from laketop.bundle.problems import Problems

TASKS: Final = (
    "ai_function_task",
    "ai_runtime_task",
    "clean_rooms_notebook_task",
    "dashboard_task",
    "dbt_cloud_task",
    "dbt_platform_task",
    "gen_ai_compute_task",
    "pipeline_task",
    "power_bi_task",
    "python_operator_task",
)
"""Types of task that load and deploy, and that the local runner does not have."""

LIBRARIES: Final = ("cran", "egg", "maven")
"""Kinds of libraries that no process of the local runner can be given."""

OPTIONS: Final = (
    *("-r", "--requirement", "-e", "--editable"),
    *("--index-url", "--extra-index-url"),
)
"""Options that the dependencies of an environment may hold; the others are refused."""

SPECS: Final = ("base_environment", "project_environment")
"""What an environment may stand for elsewhere, and does not here."""

_PARTS: Final[dict[nodes.Path, str]] = {
    ("alert_task", "workspace_path"): "give it the `alert_id`",
    ("sql_task", "dashboard"): "run its queries as `query` or `file`",
}
_DEPENDENCIES: Final = ("environments", EACH, "spec", "dependencies", EACH)
_INSTEAD: Final = {
    "pipeline_task": "write its tables in a notebook task, or run the other tasks by `--only`",
    "maven": "give the jar itself, as `jar`",
    "egg": "build a wheel, and give it as `whl`",
}


def check_not_run(job: Job, problems: Problems) -> None:
    """Report the tasks, parts of tasks and libraries that fail here as not implemented."""
    for path, node in found(job.node, _DEPENDENCIES, job.path):
        option = re.split("[ =]", node.text)[0]
        if option.startswith("-") and option not in OPTIONS:
            message = f"tasks fail here whose environment holds {node.text!r}"
            problems.warning(message, path, node, code="not-run-here")
    for name in SPECS:
        for path, node in found(job.node, ("environments", EACH, "spec", name), job.path):
            message = f"tasks fail here whose environment has a {name}"
            instead = "list its dependencies in the environment"
            problems.warning(message, path, node, instead, code="not-run-here")
    for task in job.tasks:
        for what, path, node in _refused(task):
            hint = _PARTS.get(path) or _INSTEAD.get(str(path[-1]))
            message = f"task {task.key!r} fails here, where {what} is refused"
            problems.warning(message, (*task.path, *path), node, hint, code="not-run-here")


def _refused(task: Task) -> Iterator[tuple[str, nodes.Path, Node]]:
    for name in TASKS:
        if (node := task.node.get(name)) is not None:
            yield f"a task of type {name.removesuffix('_task')!r}", (name,), node
    for path in _PARTS:
        if (node := task.node.get(*path)) is not None:
            yield f"{path[-1]!r} of {path[0]!r}", path, node
    for number, library in enumerate((task.node.get("libraries") or Node(())).elements):
        for kind in LIBRARIES:
            if (node := library.get(kind)) is not None:
                yield f"a library of kind {kind!r}", ("libraries", number, kind), node

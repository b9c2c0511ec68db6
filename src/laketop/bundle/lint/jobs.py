"""A job as the lint looks at it: its tasks, what they wait for, and their code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from laketop.bundle import nodes
from laketop.bundle.lint.code import Code, read_code
from laketop.bundle.lint.provided import PROVIDED
from laketop.bundle.nodes import Node
from laketop.bundle.paths import is_local
from laketop.bundle.syncing import beside

_FILES: tuple[nodes.Path, ...] = (
    ("notebook_task", "notebook_path"),
    ("spark_python_task", "python_file"),
    ("sql_task", "file", "path"),
)
_WITHOUT_CODE = ("condition_task", "run_job_task", "for_each_task", "dashboard_task")


@dataclass(frozen=True)
class Task:
    """One task; `outer` is the key that the job knows it by, that of its loop if it is in one."""

    key: str
    outer: str
    node: Node
    path: nodes.Path
    local: Path | None
    """The file of its code on disk, if it has one that is there."""
    root: Path
    read: dict[Path, Code | None]
    """The files that were read so far, for all tasks of a bundle."""
    in_loop: bool = False

    @property
    def code(self) -> Code | None:
        """What the task's code does, or None where nobody can read it."""
        if self.local is None:
            return None
        if self.local not in self.read:
            self.read[self.local] = read_code(self.local, self.root)
        return self.read[self.local]

    @property
    def is_readable(self) -> bool:
        """Whether all that the task does is known: its code, or that it has none.

        Code that calls other code of the project does what nobody looks for.
        """
        if self.code is None:
            return any(name in self.node.entries for name in _WITHOUT_CODE)
        return not any(self.has_module(module) for module in self.code.modules)

    def has_module(self, module: str) -> bool:
        """Return whether the project itself has a module of that name, near the task's file."""
        if module in sys.stdlib_module_names or module in PROVIDED or self.local is None:
            return False
        below = (child for child in self.root.iterdir() if child.is_dir())
        return any(
            (folder / f"{module}.py").is_file() or (folder / module).is_dir()
            for folder in (self.local.parent, self.root, *below)
        )

    @property
    def needs(self) -> tuple[str, ...]:
        """The keys of the tasks that it waits for."""
        entries = (self.node.get("depends_on") or Node(())).elements
        return tuple(entry.text_at("task_key") for entry in entries)


@dataclass(frozen=True)
class Job:
    """One job, with `defaults` of its parameters by name."""

    key: str
    node: Node
    tasks: tuple[Task, ...]
    defaults: Mapping[str, str]

    @property
    def path(self) -> nodes.Path:
        """Where the job stands in the bundle."""
        return ("resources", "jobs", self.key)

    @cached_property
    def outer(self) -> Mapping[str, Task]:
        """The tasks of the job's own list by their keys."""
        return {task.key: task for task in self.tasks if not task.in_loop}

    @cached_property
    def upstream(self) -> Mapping[str, frozenset[str]]:
        """For each task the keys of all that ends before it begins."""
        return {key: self._above(key) for key in self.outer}

    def _above(self, key: str) -> frozenset[str]:
        seen: set[str] = set()
        stack = [*self.outer[key].needs]
        while stack:
            name = stack.pop()
            if name in self.outer and name not in seen:
                seen.add(name)
                stack.extend(self.outer[name].needs)
        return frozenset(seen)


def jobs_of(resources: Node, root: Path) -> tuple[Job, ...]:
    """Return the jobs of a bundle; paths in `resources` are still those on disk."""
    jobs = (resources.get("jobs") or Node({})).entries
    read: dict[Path, Code | None] = {}
    return tuple(_job(key, node, root, read) for key, node in jobs.items())


def _job(key: str, node: Node, root: Path, read: dict[Path, Code | None]) -> Job:
    parameters = (node.get("parameters") or Node(())).elements
    defaults = {one.text_at("name"): one.text_at("default") for one in parameters}
    return Job(key, node, tuple(_tasks(key, node, root, read)), defaults)


def _tasks(job: str, node: Node, root: Path, read: dict[Path, Code | None]) -> Iterator[Task]:
    git = node.get("git_source") is not None
    for index, task in enumerate((node.get("tasks") or Node(())).elements):
        key, path = task.text_at("task_key"), ("resources", "jobs", job, "tasks", index)
        yield Task(key, key, task, path, _file(task, root, git=git), root, read)
        inner = task.get("for_each_task", "task")
        if inner is not None:
            at = (*path, "for_each_task", "task")
            file = _file(inner, root, git=git)
            yield Task(inner.text_at("task_key"), key, inner, at, file, root, read, in_loop=True)


def _file(task: Node, root: Path, *, git: bool) -> Path | None:
    for path in _FILES:
        node = task.get(*path)
        if node is None or not is_local(node.text):
            continue
        source = task.text_at(str(path[0]), "source")
        if source == "GIT" or (git and source != "WORKSPACE"):
            return None
        local = Path(os.path.normpath(beside(node, root) / node.text.removeprefix("file:")))
        return local if local.is_file() else None
    return None

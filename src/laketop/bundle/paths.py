"""Rewrites the paths in resources: relative to their file on disk -> whole in the workspace."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from laketop.bundle import nodes
from laketop.bundle.nodes import Node
from laketop.bundle.patterns import EACH, TASKS, found
from laketop.bundle.problems import Problems
from laketop.bundle.syncing import beside

NOTEBOOK = "notebook"
FILE = "file"
FOLDER = "folder"
PATTERN = "pattern"

_TASK_FIELDS: tuple[tuple[nodes.Path, str], ...] = (
    (("notebook_task", "notebook_path"), NOTEBOOK),
    (("spark_python_task", "python_file"), FILE),
    (("sql_task", "file", "path"), FILE),
    (("dbt_task", "project_directory"), FOLDER),
    (("libraries", EACH, "requirements"), FILE),
)
_FIELDS: dict[str, tuple[tuple[nodes.Path, str], ...]] = {
    "jobs": tuple(((*task, *at), kind) for task in TASKS for at, kind in _TASK_FIELDS),
    "pipelines": (
        (("libraries", EACH, "notebook", "path"), NOTEBOOK),
        (("libraries", EACH, "file", "path"), FILE),
        (("libraries", EACH, "glob", "include"), PATTERN),
        (("root_path",), FOLDER),
    ),
    "apps": ((("source_code_path",), FOLDER),),
}
_MARKS = {".py": "#", ".r": "#", ".scala": "//", ".sql": "--"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def is_notebook(path: Path) -> bool:
    """Return whether a file is a notebook: `.ipynb`, or a source file that begins as one."""
    suffix = path.suffix.lower()
    if suffix == ".ipynb":
        return True
    if suffix not in _MARKS:
        return False
    with path.open("rb") as file:
        first = file.readline(200).strip()
    return first == f"{_MARKS[suffix]} Databricks notebook source".encode()


def is_local(text: str) -> bool:
    """Return whether a path is one of the bundle: relative, without a scheme, known by now."""
    return (
        bool(text)
        and not (text.startswith(("/", "{{", "~")) or "${" in text)
        and (not _SCHEME.match(text) or text.startswith("file:"))
    )


@dataclass(frozen=True, slots=True)
class Translator:
    """Turns paths of one bundle into those of its workspace."""

    root: Path
    sync_root: Path
    file_path: str
    problems: Problems

    def translated(self, resources: Node) -> Node:
        """Return the resources with every path rewritten; what is missing is an error."""
        resources = _globs_expanded(resources, self.root)
        for type_, fields in _FIELDS.items():
            for pattern, kind in fields:
                for path, node in found(resources, (type_, EACH, *pattern)):
                    if is_local(node.text) and not _in_git(resources, path):
                        text = self.remote(node, kind, ("resources", *path))
                        resources = resources.put(path, Node(text, node.place))
        return resources

    def remote(self, node: Node, kind: str, at: nodes.Path) -> str:
        """Return the workspace path of a value, checking that its file is there and fits."""
        local = Path(os.path.normpath(beside(node, self.root) / node.text.removeprefix("file:")))
        if not local.is_relative_to(self.sync_root):
            message = f"the path {node.text!r} is not contained in the sync root path"
            self.problems.error(message, at, node, "add its folder to sync.paths")
            return node.text
        wrong = _wrong(local, node.text, kind)
        if wrong is not None:
            hint = _extension_hint(local, node.text)
            self.problems.error(wrong, at, node, hint, code="notebook-missing")
        name = local.relative_to(self.sync_root).as_posix()
        if kind == NOTEBOOK and wrong is None and not name.endswith(".designer.ipynb"):
            name = name.removesuffix(local.suffix)
        return self.file_path if name == "." else f"{self.file_path.rstrip('/')}/{name}"


def _globs_expanded(resources: Node, root: Path) -> Node:
    """Return the resources with the patterns of pipelines as the files that they match, sorted."""
    for path, libraries in found(resources, ("pipelines", EACH, "libraries")):
        made: list[Node] = []
        for library in libraries.elements:
            made += _matched(library, root) or [library]
        resources = resources.put(path, Node(tuple(made), libraries.place))
    return resources


def _matched(library: Node, root: Path) -> list[Node]:
    for kind in (NOTEBOOK, FILE):
        node = library.get(kind, "path")
        if node is None or not is_local(node.text) or not set("*?[") & set(node.text):
            continue
        folder = beside(node, root)
        found_ = sorted(glob.glob(os.path.normpath(folder / node.text)))  # noqa: PTH207
        names = (Path(os.path.relpath(match, folder)).as_posix() for match in found_)
        return [library.put((kind, "path"), Node(name, node.place)) for name in names]
    return []


def _wrong(local: Path, text: str, kind: str) -> str | None:
    if kind == PATTERN:
        return None
    if kind == FOLDER:
        return None if local.is_dir() else f"folder {text} not found"
    if not local.is_file():
        return f"{kind} {text} not found"
    if kind == NOTEBOOK and not is_notebook(local):
        return f"file {text} is not a notebook: its first line is not the mark of one"
    if kind == FILE and is_notebook(local):
        return f"expected a file for {text} but got a notebook"
    return None


def _extension_hint(local: Path, text: str) -> str | None:
    for suffix in (*_MARKS, ".ipynb"):
        if local.with_name(local.name + suffix).is_file():
            return f"did you mean {text + suffix!r}? Local notebooks are named with their extension"
    return None


def _in_git(resources: Node, path: nodes.Path) -> bool:
    """Return whether a value belongs to a job, or a task, whose files come from Git."""
    job = resources.get(*path[:2])
    if job is None or path[0] != "jobs":
        return False
    return job.get("git_source") is not None or any(
        node.text_at("source") == "GIT" for node in _above(resources, path)
    )


def _above(resources: Node, path: nodes.Path) -> Iterator[Node]:
    for length in range(4, len(path)):
        node = resources.get(*path[:length])
        if node is not None:
            yield node

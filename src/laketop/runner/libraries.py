"""What a task wants on its path: wheels, and what the interpreter must have.

Source: `libraries` of a task; `environments[].spec.dependencies` of its job, copied into the task
as `environments`, of which `environment_key` chooses one.
"""

from __future__ import annotations

import dataclasses
import glob
import importlib.metadata
import re
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, parse_sdist_filename

from laketop.errors import ConfigError, Refused
from laketop.runner import in_place, wheels
from laketop.runner.requirements import (
    canonical,
    needs_of_extras,
    needs_of_wheel,
    problem_of,
    read_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_OTHERS: Final = ("base_environment", "project_environment")
"""Files elsewhere that an environment may stand for."""
_FILE: Final = re.compile(r"""(?:-r|--requirement)[ =]+(["']?)(.+)\1""")
_INDEX: Final = re.compile(r"""(--index-url|--extra-index-url)[ =]+(["']?)(\S+)\2""")
_IN_PLACE: Final = re.compile(r"""(?:-e|--editable)[ =]+(["']?)(.+)\1""")
_WHEEL: Final = re.compile(r"(.+\.whl)(?:\[([\w., -]+)\])?")
_SOURCES: Final = re.compile(r"(/.+\.(?:tar\.gz|zip))(\[[\w., -]+\])?")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Libraries:
    """Folders of unpacked wheels, requirements that are checked by the task's process, and jars.

    `options` say to the resolver where packages come from.
    """

    wheels: tuple[Path, ...]
    requirements: tuple[str, ...]
    jars: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()

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
    options: list[str] = []
    for kind, text in (*_of_libraries(task), *_of_environment(task)):
        if kind == "wheel":
            path, extras = _with_extras(text)
            for wheel in _wheels(path, resolve):
                folder = wheels.unpack(wheel, cache)
                folders[folder] = None
                found.extend(needs_of_extras(folder, extras))
        elif kind == "jar":
            jars[jar_at(text, resolve)] = None
        elif kind == "file":
            found.extend(read_file(resolve(text)))
        elif kind == "in place":
            found.append(in_place.requirement(text, resolve))
        elif kind == "option":
            options.append(text)
        else:
            found.append(_of_sources(text, resolve))
    return Libraries(
        wheels=tuple(folders),
        requirements=tuple(dict.fromkeys(found)),
        jars=tuple(jars),
        options=tuple(options),
    )


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
                if value.get("repo"):
                    # Asked before the default index, which may have what the package needs.
                    yield from (("option", word) for word in ("--extra-index-url", value["repo"]))
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
    for name in _OTHERS:
        if spec.get(name):
            hint = "list its dependencies in the environment"
            raise Refused(f"{name} {spec[name]!r} of environment {key!r}", hint=hint)
    for text in spec.get("java_dependencies") or []:
        yield "jar", text
    for text in spec.get("dependencies") or []:
        file, index = _FILE.fullmatch(text), _INDEX.fullmatch(text)
        if file is not None:
            yield "file", file[2]
        elif index is not None:
            yield from (("option", word) for word in (index[1], index[3]))
        elif (project := _IN_PLACE.fullmatch(text)) is not None:
            yield "in place", project[2]
        elif text.startswith("-"):
            raise Refused(f"{text!r} in environment {key!r}")
        elif _WHEEL.fullmatch(text) and " @ " not in text:
            yield "wheel", text
        else:
            yield "requirement", text


def _with_extras(text: str) -> tuple[str, tuple[str, ...]]:
    whole = _WHEEL.fullmatch(text)
    if whole is None or whole[2] is None:
        return text, ()
    return whole[1], tuple(extra.strip() for extra in whole[2].split(","))


def _of_sources(text: str, resolve: Callable[[str], Path]) -> str:
    # A path of the workspace as a requirement with a name, which can be checked.
    whole = _SOURCES.fullmatch(text)
    if whole is None or " @ " in text:
        return text
    place = resolve(whole[1])
    if not place.is_file():
        raise ConfigError(f"there is no package {whole[1]!r}", hint="was it built, and uploaded?")
    try:
        name, _ = parse_sdist_filename(place.name)
    except InvalidSdistFilename:
        hint = "it is called name-version.tar.gz"
        raise ConfigError(f"{place.name!r} is no name of a package", hint=hint) from None
    return f"{name}{whole[2] or ''} @ {place.absolute().as_uri()}"


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

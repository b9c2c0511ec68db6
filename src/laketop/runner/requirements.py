"""What a task asks to have installed, held against what its interpreter has."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import shlex
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from laketop.errors import ConfigError, Refused
from laketop.runner import in_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

STOOD_IN = frozenset(
    {"databricks-connect", "databricks-feature-engineering", "databricks-feature-store"}
)
"""Proprietary packages whose import paths laketop provides itself."""
_HINT = "list it in the task's environment or libraries, or %pip install it"
_VALUED_OPTIONS = frozenset(
    {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host"}
)
_LONG = {"-i": "--index-url", "-f": "--find-links"}
_FILE_OPTIONS = frozenset({"-r", "--requirement"})
_IN_PLACE = tuple(f"{flag}{end}" for flag in in_place.FLAGS for end in " =")
_FLAGS = frozenset(
    {"-q", "-qq", "--quiet", "-U", "--upgrade", "--no-cache-dir", "--pre", "--no-input"}
    | {"--disable-pip-version-check", "--force-reinstall"}
)


def check(requirements: Iterable[str]) -> None:
    """Return if the interpreter satisfies all of the requirements.

    Errors: ConfigError that names every one that it does not.
    """
    missing = [problem for problem in map(problem_of, requirements) if problem is not None]
    if missing:
        raise ConfigError("; ".join(missing), hint=_HINT)


def problem_of(text: str) -> str | None:
    """Return why the interpreter does not satisfy a requirement, None if it does."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f"{text!r} is not a requirement that can be checked"
    is_for_here = requirement.marker is None or requirement.marker.evaluate()
    if canonical(requirement.name) in STOOD_IN or not is_for_here:
        return None
    try:
        installed = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{text!r} is not installed"
    if requirement.url is not None or installed in requirement.specifier:
        return None
    if requirement.specifier.contains(installed, prereleases=True):
        return None
    return f"{text!r} is asked for, {installed} is installed"


def canonical(name: str) -> str:
    """Return the one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needs_of_wheel(folder: Path) -> list[str]:
    """Return the requirements that an unpacked wheel states for itself, without extras."""
    needs: list[str] = []
    for distribution in importlib.metadata.distributions(path=[str(folder)]):
        for text in distribution.requires or []:
            marker = Requirement(text).marker
            if marker is None or marker.evaluate({"extra": ""}):
                needs.append(text)
    return needs


def needs_of_extras(folder: Path, extras: Sequence[str]) -> list[str]:
    """Return the requirements that an unpacked wheel has for some of its extras alone."""
    needs: list[str] = []
    for distribution in importlib.metadata.distributions(path=[str(folder)]):
        for need in map(Requirement, distribution.requires or []):
            marker = need.marker
            if marker is None or marker.evaluate({"extra": ""}):
                continue
            if any(marker.evaluate({"extra": extra}) for extra in extras):
                need.marker = None
                needs.append(str(need))
    return needs


def read_file(file: Path) -> list[str]:
    """Return the requirements in a requirements file; options in it are refused but -r and -e.

    Errors: ConfigError if there is no such file or project, Refused for an option.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ConfigError(f"there is no requirements file {str(file)!r}") from None
    found = []
    for line in lines:
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if text.startswith(("-r ", "--requirement ")):
            found.extend(read_file(file.parent / text.split(maxsplit=1)[1]))
        elif text.startswith(_IN_PLACE):
            project = re.split("[ =]+", text, maxsplit=1)[1]
            found.append(in_place.requirement(project, file.parent.joinpath))
        elif text.startswith("-"):
            raise Refused(f"{text!r} in {file.name}")
        elif text:
            found.append(text)
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What a `%pip install` line asks for."""

    requirements: list[str]
    options: list[str]
    """Those that say where packages come from."""


def asked_by_pip(line: str, place: Callable[[str], Path]) -> Asked:
    """Return what a `%pip` line asks for; `place` gives the file of a path.

    Errors: Refused for anything but `install` of requirements, wheels and projects in place.
    """
    command, *words = shlex.split(line) or [""]
    if command != "install":
        raise Refused(f"%pip {command}".strip(), hint="%pip install is done")
    asked = Asked(requirements=[], options=[])
    remaining = iter(words)
    for word in remaining:
        option, _, value = word.partition("=")
        if option in _FILE_OPTIONS:
            asked.requirements.extend(read_file(place(value or next(remaining, ""))))
        elif option in in_place.FLAGS:
            project = value or next(remaining, "")
            asked.requirements.append(in_place.requirement(project, place))
        elif option in _VALUED_OPTIONS:
            asked.options.extend(_index_option(option, value or next(remaining, "")))
        elif word.startswith("-") and word not in _FLAGS:
            raise Refused(f"%pip install {word}")
        elif not word.startswith("-"):
            asked.requirements.append(_requirement(word, place))
    return asked


def _index_option(option: str, value: str) -> list[str]:
    return [] if option == "--trusted-host" else [_LONG.get(option, option), value]


def _requirement(word: str, place: Callable[[str], Path]) -> str:
    if word.endswith(".whl") and "://" not in word:
        return _wheel(place(word))
    if "/" in word.partition("@")[0] and "://" not in word:
        raise Refused(f"%pip install {word}", hint="install it in place: -e, or build a wheel")
    return word


def _wheel(file: Path) -> str:
    if not file.is_file():
        raise ConfigError(f"there is no wheel {str(file)!r}", hint="was it built?")
    return str(file)

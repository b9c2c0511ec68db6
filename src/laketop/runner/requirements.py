"""What a task asks to have installed, held against what its interpreter has.

Nothing is installed: a task runs on the interpreter that it is given. What is there passes, what
is not is an error that names it.
"""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from laketop.errors import ConfigError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

STOOD_IN = frozenset(
    {"databricks-connect", "databricks-feature-engineering", "databricks-feature-store"}
)
"""Proprietary packages whose import paths laketop provides itself."""
_HINT = "install it beside laketop: a task runs on laketop's own interpreter so far"
_VALUED_OPTIONS = frozenset(
    {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host"}
)
_FILE_OPTIONS = frozenset({"-r", "--requirement"})
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
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    if name in STOOD_IN or (requirement.marker is not None and not requirement.marker.evaluate()):
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


def needs_of_wheel(folder: Path) -> list[str]:
    """Return the requirements that an unpacked wheel states for itself, without extras."""
    needs: list[str] = []
    for distribution in importlib.metadata.distributions(path=[str(folder)]):
        for text in distribution.requires or []:
            marker = Requirement(text).marker
            if marker is None or marker.evaluate({"extra": ""}):
                needs.append(text)
    return needs


def read_file(file: Path) -> list[str]:
    """Return the requirements in a requirements file; options in it are refused.

    Errors: ConfigError if there is no such file, Refused for an option.
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
        elif text.startswith("-"):
            raise Refused(f"{text!r} in {file.name}")
        elif text:
            found.append(text)
    return found


def asked_by_pip(line: str, place: Callable[[str], Path]) -> list[str]:
    """Return the requirements of a `%pip` line; `place` gives the file of a path.

    Errors: Refused for anything but `install` of requirements.
    """
    command, *words = shlex.split(line) or [""]
    if command != "install":
        raise Refused(f"%pip {command}".strip(), hint="%pip install of what is there passes")
    found: list[str] = []
    remaining = iter(words)
    for word in remaining:
        option, _, value = word.partition("=")
        if option in _FILE_OPTIONS:
            found.extend(read_file(place(value or next(remaining, ""))))
        elif word in _VALUED_OPTIONS:
            next(remaining, None)
        elif word.startswith("-") and word not in _FLAGS and option not in _VALUED_OPTIONS:
            raise Refused(f"%pip install {word}")
        elif not word.startswith("-"):
            found.append(_requirement(word))
    return found


def _requirement(word: str) -> str:
    if word.endswith(".whl") or "/" in word.partition("@")[0]:
        raise Refused(
            f"%pip install {word}",
            hint="list the wheel in the task's environment or libraries, and it is on sys.path",
        )
    return word

"""The environment variables that a job gives to tasks: entries that a task names by a key.

Source: databricks-sdk, `jobs.JobEnvironmentVariablesSpec`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MOST_VARIABLES: Final = 20
LONGEST_NAME: Final = 256
LONGEST_VALUE: Final = 512
MOST_FILES: Final = 5
LARGEST_FILE: Final = 32 * 1024
LONGEST_LINE: Final = 1024
"""In bytes, as the largest file; the longest name and value are in characters."""
_NO_VALUE: Final = "\0"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_THE_RUNTIME: Final = re.compile(
    r"(DATABRICKS|LAKETOP|MLFLOW|SPARK)_.*|HOME|JAVA_HOME|PATH|PYTHONPATH|PYTHONUNBUFFERED|VIRTUAL_ENV"
)
"""What the runtime sets itself; the rest of a task's surroundings comes from whoever started it."""


def check(entries: Any) -> None:
    """Check the `environment_variables` of a job.

    Errors: ConfigError for two entries of one key, and for variables that cannot be.
    """
    keys = [entry["environment_variables_key"] for entry in entries or ()]
    for entry in entries or ():
        key, spec = entry["environment_variables_key"], entry.get("spec") or {}
        if keys.count(key) > 1:
            raise ConfigError(f"environment_variables has {key!r} twice")
        if len(spec.get("files") or ()) > MOST_FILES:
            raise ConfigError(
                f"the environment variables {key!r} have more than {MOST_FILES} files"
            )
        variables = spec.get("variables") or {}
        if len(variables) > MOST_VARIABLES:
            raise ConfigError(f"the environment variables {key!r} are more than {MOST_VARIABLES}")
        for name, value in variables.items():
            if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
                raise ConfigError(f"{name[:LONGEST_NAME]!r} cannot be an environment variable")
            if _NO_VALUE in value:
                raise ConfigError(f"{name} holds a NUL, which no environment variable can")
            if len(value) > LONGEST_VALUE:
                raise ConfigError(f"{name} has more than {LONGEST_VALUE} characters")


def with_variables(
    task: Mapping[str, Any], environment: Mapping[str, str], resolve: Callable[[str], Path]
) -> Mapping[str, str]:
    """Return the environment of a task with the variables that it names.

    What the entry says itself counts more than its files, of which the later counts more, and what
    the runtime sets counts more than both.
    Errors: ConfigError for a key that the job does not have, and for files that cannot be read.
    """
    key = task.get("environment_variables_key")
    if not key:
        return environment
    entries = task.get("environment_variables") or ()
    entry = next((one for one in entries if one["environment_variables_key"] == key), None)
    if entry is None:
        raise ConfigError(
            f"task {task.get('task_key')!r} names no environment variables of its job: {key!r}"
        )
    spec = entry.get("spec") or {}
    given: dict[str, str] = {}
    for path in spec.get("files") or ():
        given.update(_read(path, resolve(path)))
    given.update(spec.get("variables") or {})
    runtime = {n: value for n, value in environment.items() if _OF_THE_RUNTIME.fullmatch(n)}
    return {**environment, **given, **runtime}


def _read(path: str, place: Path) -> Iterator[tuple[str, str]]:
    if not place.is_file():
        raise ConfigError(f"there is no file {path!r} of environment variables")
    data = place.read_bytes()
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"{path!r} has {len(data)} bytes, the limit is {LARGEST_FILE}")
    text = data.decode("utf-8", errors="replace")
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        is_one = bool(equals) and _NAME.fullmatch(name) and _NO_VALUE not in line
        if not is_one or len(line.encode()) > LONGEST_LINE:
            hint = f"KEY=VALUE, at most {LONGEST_LINE} bytes; no quotes, no spaces around the ="
            raise ConfigError(f"line {number} of {path!r} is no environment variable", hint=hint)
        yield name, value

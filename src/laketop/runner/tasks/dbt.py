"""`dbt_task`: commands of dbt, run in an environment of their own against the local warehouse.

Source: databricks-sdk, `DbtTask`. The project is copied first, as on Databricks: what dbt writes
beside it stays with the attempt.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from laketop.bundle.nodes import plain
from laketop.bundle.reading import read_file
from laketop.errors import ConfigError
from laketop.runner import git_source
from laketop.runner.context import Outcome
from laketop.runner.dbt_profile import TOKEN, Warehouse, led_here, made_here
from laketop.runner.environment import whole_environment
from laketop.runner.libraries import libraries_of
from laketop.runner.overlay import Wanted
from laketop.runner.process import run_process
from laketop.runner.redaction import Redaction
from laketop.runner.resolving import resolver, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laketop.runner.context import TaskContext
    from laketop.runner.process import Ended

PROJECT: Final = "dbt"
"""The folder of an attempt that holds the copy of the project, with what dbt made of it."""
ARTIFACTS: Final = "dbt_artifacts.tar.gz"
"""The file of an attempt that holds what dbt has written about its work."""
_ARTIFACT_FOLDERS: Final = ("target", "logs")
_MOST_COMMANDS: Final = 10
_PROJECT_FILE: Final = "dbt_project.yml"
_PROFILES: Final = "profiles.yml"
_CATALOG: Final = "main"
_SCHEMA: Final = "default"
_LEFT_OUT: Final = (".laketop", ".databricks", ".git", ".venv", "__pycache__", "target", "logs")


class DbtTask:
    """Runs each command in turn, until one fails."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the commands in a copy of the project; profiles lead to the local warehouse.

        Errors: ConfigError for settings that do not fit together, a project without its files, a
        task without dbt.
        """
        settings = task["dbt_task"]
        commands = _commands(settings)
        _check(settings, context)
        programs, paths = _programs(context)
        project = _copied(_source(settings, context), context)
        profiles = _Profiles(settings, project, context)
        environment = _environment(context, programs, paths)
        redaction = Redaction()
        redaction.add(environment[TOKEN].encode())

        def run(text: str) -> Ended:
            return run_process(
                [str(programs / "dbt"), *profiles.led(shlex.split(text)[1:])],
                cwd=project,
                environment=environment,
                log=context.directory / "output.log",
                cancelled=context.cancelled,
                redaction=redaction,
            )

        outcome = _in_turn(commands, run, context)
        _pack(project, context.directory / ARTIFACTS)
        return outcome


def _in_turn(commands: Sequence[str], run: Callable[[str], Ended], context: TaskContext) -> Outcome:
    for text in commands:
        say(f"$ {text}", context)
        ended = run(text)
        if ended.cancelled:
            return Outcome("CANCELED", exit_code=ended.exit_code)
        if ended.exit_code:
            error = f"{text!r} ended with exit code {ended.exit_code}"
            return Outcome("FAILED", error=error, exit_code=ended.exit_code)
    return Outcome("SUCCESS", exit_code=0)


def _pack(project: Path, file: Path) -> None:
    folders = [name for name in _ARTIFACT_FOLDERS if (project / name).is_dir()]
    if not folders:
        return
    draft = file.with_name(f"{file.name}.draft")
    with tarfile.open(draft, "w:gz") as archive:
        for name in folders:
            archive.add(project / name, name)
    draft.replace(file)


def _commands(settings: Mapping[str, Any]) -> list[str]:
    commands = [str(text) for text in settings.get("commands") or ()]
    if not 1 <= len(commands) <= _MOST_COMMANDS:
        raise ConfigError(f"a dbt_task has 1 to {_MOST_COMMANDS} commands, not {len(commands)}")
    for text in commands:
        try:
            is_dbt = shlex.split(text)[:1] == ["dbt"]
        except ValueError as error:
            raise ConfigError(f"the command {text!r} cannot be read: {error}") from error
        if not is_dbt:
            raise ConfigError(
                f"the command {text!r} does not start with dbt", hint="a dbt_task runs dbt alone"
            )
    return commands


def _check(settings: Mapping[str, Any], context: TaskContext) -> None:
    if settings.get("warehouse_id") and settings.get("profiles_directory"):
        raise ConfigError(
            f"dbt task {context.task_key!r} has a warehouse_id and a profiles_directory",
            hint="leave one of them out: a profile is made for the warehouse",
        )


def _source(settings: Mapping[str, Any], context: TaskContext) -> Path:
    folder = settings.get("project_directory")
    if not folder and "git_source" not in context.task:
        raise ConfigError(f"dbt task {context.task_key!r} has no project_directory")
    found = git_source.located(folder or ".", settings.get("source"), context)
    place = context.resolve(found.path)
    if not (place / _PROJECT_FILE).is_file():
        raise ConfigError(
            f"there is no {_PROJECT_FILE} in {str(place)!r}", hint="see project_directory"
        )
    return place


def _copied(source: Path, context: TaskContext) -> Path:
    project = context.directory / PROJECT
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(source, project, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    return project


def _programs(context: TaskContext) -> tuple[Path, Sequence[Path]]:
    """Return the folder of the programs of the task's environment, and its unpacked wheels."""
    state = context.directory.parents[2]  # <state>/runs/<run>/<task run>
    libraries = libraries_of(context.task, context.resolve, state / "envs" / "wheels")
    folder = context.own or context.python.parent.parent
    if libraries.requirements:
        wanted = Wanted(requirements=libraries.requirements, options=libraries.options)
        folder = _made(wanted, context.cache or state / "envs", context)
    if not (folder / "bin" / "dbt").is_file():
        raise ConfigError(
            f"there is no dbt in the environment of task {context.task_key!r}",
            hint="give the task an environment or libraries with dbt-databricks",
        )
    return folder / "bin", libraries.wheels


def _made(wanted: Wanted, cache: Path, context: TaskContext) -> Path:
    return whole_environment(wanted, cache, resolver(context), lambda text: say(text, context))


def _environment(context: TaskContext, programs: Path, paths: Sequence[Path]) -> Mapping[str, str]:
    given = context.environment
    return {
        **{name: value for name, value in given.items() if name != "PYTHONPATH"},
        "PATH": os.pathsep.join([str(programs), given.get("PATH", os.defpath)]),
        **({"PYTHONPATH": os.pathsep.join(map(str, paths))} if paths else {}),
        "DBT_HOST": given.get("DATABRICKS_HOST", ""),
        TOKEN: given.get("DATABRICKS_TOKEN", ""),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


class _Profiles:
    """The folders of profiles that commands use, each with its copy that leads here."""

    def __init__(self, settings: Mapping[str, Any], project: Path, context: TaskContext) -> None:
        self._settings = settings
        self._project = project
        self._folder = context.directory / "profiles"
        found = context.saved("warehouse", str(settings.get("warehouse_id") or ""))
        self._warehouse = Warehouse(
            address=context.environment["DATABRICKS_HOST"].rstrip("/"),
            warehouse_id=str(found["id"]),
        )

    def led(self, words: Sequence[str]) -> list[str]:
        """Return the words of a command, with the profiles that lead here."""
        left, asked = _without(words, "--profiles-dir")
        source = self._project / (asked or self._settings.get("profiles_directory") or ".")
        is_made = self._settings.get("warehouse_id") and not asked
        if is_made or not (source / _PROFILES).is_file():
            if asked or self._settings.get("profiles_directory"):
                raise ConfigError(f"there is no {_PROFILES} in {str(source)!r}")
            profiles = self._made(words)
        else:
            profiles = led_here(_read(source / _PROFILES), self._warehouse)
        folder = self._folder / hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / _PROFILES).write_text(yaml.safe_dump(profiles), encoding="utf-8")
        return [*left, "--profiles-dir", str(folder)]

    def _made(self, words: Sequence[str]) -> Mapping[str, Any]:
        profile = _read(self._project / _PROJECT_FILE).get("profile")
        targets = [_without(words, option)[1] for option in ("--target", "-t")]
        return made_here(
            str(profile or "default"),
            self._warehouse,
            catalog=self._settings.get("catalog") or _CATALOG,
            schema=self._settings.get("schema") or _SCHEMA,
            targets=[target for target in targets if target],
        )


def _without(words: Sequence[str], option: str) -> tuple[list[str], str | None]:
    """Return the words without an option and its value, and the value."""
    left: list[str] = []
    value = None
    remaining = iter(words)
    for word in remaining:
        name, equals, text = word.partition("=")
        if name == option:
            value = text if equals else next(remaining, "")
        else:
            left.append(word)
    return left, value


def _read(file: Path) -> dict[str, Any]:
    content = plain(read_file(file, file.name))
    if not isinstance(content, dict):
        raise ConfigError(f"{file.name} is no map of settings")
    return content

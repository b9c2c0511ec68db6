"""A job's `git_source`: one checkout a run, which all of its tasks with source GIT share.

Source: the SDK's docstrings of `GitSource` and of the `source` of tasks, which is GIT where the job
has a `git_source` and the task does not say otherwise. The commit is taken when the run first needs
it; a repair goes on with the same.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError, LaketopError
from laketop.ml.environments import resolver_environment
from laketop.runner.locking import alone
from laketop.runner.process import run_process

if TYPE_CHECKING:
    from laketop.runner.context import TaskContext

CHECKOUT: Final = "git"
"""The folder of a run that holds the checkout, beside those of its attempts."""
_REFERENCES: Final = {"git_branch": "refs/heads/{}", "git_tag": "refs/tags/{}", "git_commit": "{}"}
_FILES: Final = (
    ("notebook_task", "notebook_path"),
    ("spark_python_task", "python_file"),
    ("sql_task", "file"),
    ("dbt_task", "project_directory"),
)
_PROTOCOLS: Final = "file:git:http:https:ssh"
_LONGEST_WORDS: Final = 300


@dataclasses.dataclass(frozen=True)
class Located:
    """Where the file of a task is: its path, and the checkout's root if it is in one."""

    path: str
    root: Path | None = None


def is_of_git(git: Mapping[str, Any] | None, path: str, source: str | None) -> bool:
    """Return whether the file `path` of a task, which says `source`, is in the repository `git`.

    The workspace and clouds know a file by an absolute path or an address alone.
    """
    if source:
        return source == "GIT"
    return bool(git) and not path.startswith("/") and ":" not in path


def with_repository(task: Mapping[str, Any], git: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the task, with the repository of its job where its file comes from there."""
    for kind, field in _FILES:
        settings = task.get(kind) or {}
        file = settings.get(field)
        if kind == "sql_task":
            settings, file = file or {}, (file or {}).get("path")
        elif kind == "dbt_task" and settings:
            file = file or "."  # the root of the repository
        if git and file and is_of_git(git, str(file), settings.get("source")):
            return {**task, "git_source": git}
    return dict(task)


def located(path: str, source: str | None, context: TaskContext) -> Located:
    """Return where the file `path` of a task is, checking the repository out if it lies there.

    Errors: ConfigError where there is no repository, it has no such commit, or `path` leaves it.
    """
    git = context.task.get("git_source")
    if not is_of_git(git, path, source):
        return Located(path)
    if not git:
        raise ConfigError(
            f"task {context.task_key!r} has source GIT, its job has no git_source",
            hint="give the job a git_source, or the task source: WORKSPACE",
        )
    root = _checkout(git, context)
    file = root / path
    if path.startswith("/") or not file.resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"{path!r} is not inside the repository", hint="paths are relative to its root"
        )
    return Located(str(file), root)


def used_commit(run: Path) -> str | None:
    """Return the commit that the run with this folder has checked out, None if it has none."""
    try:
        return (run / CHECKOUT / ".git" / "HEAD").read_text(encoding="ascii").strip()  # detached
    except OSError:
        return None


def _checkout(git: Mapping[str, Any], context: TaskContext) -> Path:
    run = context.directory.parent
    with alone(run / f"{CHECKOUT}.lock"):
        if not (run / CHECKOUT).is_dir():
            draft = Path(tempfile.mkdtemp(prefix=f"{CHECKOUT}-", dir=run))
            try:
                _fetch(git, draft, context)
                draft.rename(run / CHECKOUT)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return run / CHECKOUT


def _fetch(git: Mapping[str, Any], folder: Path, context: TaskContext) -> None:
    url = str(git.get("git_url") or "")
    reference = reference_of(git)
    log = context.directory / "git.log"
    environment = {
        **resolver_environment(context.environment),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
    }
    patterns = (git.get("sparse_checkout") or {}).get("patterns") or ()
    steps = [
        ["init", "--quiet"],
        *([["sparse-checkout", "set", "--cone", "--", *patterns]] if patterns else []),
        ["fetch", "--quiet", "--depth", "1", "--", url, reference],
        ["-c", "advice.detachedHead=false", "checkout", "--quiet", "FETCH_HEAD"],
    ]
    shown = context.git(str(git.get("git_provider") or ""), url)
    for step in steps:
        # Checking out runs what the machine's git or the repository brings: filters, hooks.
        settings = shown if step[0] == "fetch" else {}
        ended = run_process(
            ["git", *step],
            cwd=folder,
            environment=with_settings(environment, settings),
            log=log,
            cancelled=context.cancelled,
        )
        if ended.cancelled:
            raise LaketopError("canceled while the repository was fetched")
        if ended.exit_code != 0:
            words = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
            raise ConfigError(
                f"{reference} of {url!r} cannot be checked out: {words[-_LONGEST_WORDS:]}",
                hint="see the job's git_source, and whether git on this machine may read it;"
                " w.git_credentials are shown to what LAKETOP_GIT_REMOTES allows",
            )


def with_settings(environment: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which git has these settings after those that it has by it.

    Errors: ValueError for a GIT_CONFIG_COUNT which is no number; git refuses it, too.

    >>> with_settings({}, {"a.b": "c"})
    {'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'a.b', 'GIT_CONFIG_VALUE_0': 'c'}
    """
    changed = dict(environment)
    if settings:
        count = int(environment.get("GIT_CONFIG_COUNT") or 0)
        changed["GIT_CONFIG_COUNT"] = str(count + len(settings))
        for number, (key, value) in enumerate(settings.items(), count):
            changed[f"GIT_CONFIG_KEY_{number}"] = key
            changed[f"GIT_CONFIG_VALUE_{number}"] = value
    return changed


def reference_of(git: Mapping[str, Any]) -> str:
    """Return what git has to fetch for a `git_source`.

    Errors: ConfigError unless exactly one of git_branch, git_tag, git_commit is given.

    >>> reference_of({"git_url": "https://example.org/a.git", "git_tag": "v1"})
    'refs/tags/v1'
    """
    given = {name: str(git[name]) for name in _REFERENCES if git.get(name)}
    if len(given) != 1:
        raise ConfigError(
            f"the git_source of {git.get('git_url')!r} gives {' and '.join(given) or 'no commit'}",
            hint="give one of git_branch, git_tag, git_commit",
        )
    ((name, value),) = given.items()
    return _REFERENCES[name].format(value)

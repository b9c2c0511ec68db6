"""A main class of a jar, run in a JVM of its own that speaks Spark Connect to the engine."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from laketop.engine import client
from laketop.runner.context import Outcome
from laketop.runner.hosted import read_outcome
from laketop.runner.libraries import libraries_of
from laketop.runner.process import run_process
from laketop.runner.redaction import Redaction
from laketop.runner.request import RESULT_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from laketop.runner.context import TaskContext

_LAUNCHER = "laketop.task.JarTask"


def jars_of(context: TaskContext) -> tuple[Path, ...]:
    """Return the jars among the libraries of a task, and in those of its environment.

    Errors: those of `libraries_of`.
    """
    state = context.directory.parents[2]  # <state>/runs/<run>/<task run>
    return libraries_of(context.task, context.resolve, state / "envs" / "wheels").jars


def run_main_class(
    name: str,
    arguments: Sequence[str],
    context: TaskContext,
    *,
    jars: Sequence[Path],
    confs: Mapping[str, str] | None = None,
) -> Outcome:
    """Run the main class `name` with these jars on its path and return how it ended.

    `confs` are set in its session.
    Errors: EngineMissing without Java or without Spark's client for the JVM.
    """
    words = [*client.options(jars), _LAUNCHER, str(context.directory / RESULT_FILE), name]
    for option, values in (
        ("--jar", list(map(str, jars))),
        ("--conf", [f"{key}={value}" for key, value in (confs or {}).items()]),
    ):
        words.extend(word for value in values for word in (option, value))
    java = context.java()
    file = context.directory / "java.args"
    file.write_text(client.argument_file([*words, "--", *arguments]), encoding="utf-8")
    redaction = Redaction()
    redaction.add(context.environment.get("DATABRICKS_TOKEN", "").encode())
    ended = run_process(
        [str(java), f"@{file}"],
        cwd=context.directory,
        environment=context.environment,
        log=context.directory / "output.log",
        cancelled=context.cancelled,
        redaction=redaction,
    )
    if ended.cancelled:
        return Outcome("CANCELED", exit_code=ended.exit_code)
    return _redacted(read_outcome(context.directory, ended.exit_code), redaction)


def _redacted(outcome: Outcome, redaction: Redaction) -> Outcome:
    def clean(text: str | None) -> str | None:
        return None if text is None else redaction.text(text)

    error, trace = clean(outcome.error), clean(outcome.error_trace)
    return dataclasses.replace(outcome, error=error, error_trace=trace)

"""A task that runs user code: its request written, its process run, its end read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import laketop
from laketop.runner import in_place
from laketop.runner.context import Outcome
from laketop.runner.libraries import libraries_of
from laketop.runner.overlay import Wanted, overlay
from laketop.runner.own_environment import declares_environment, links_to, problem_of_version
from laketop.runner.paths import Places
from laketop.runner.process import run_process
from laketop.runner.request import OUTPUT_FILE, REQUEST_FILE, RESULT_FILE, VALUES_FILE, Request
from laketop.runner.resolving import resolver, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import TaskContext


def run_hosted(kind: str, path: str, context: TaskContext, **fields: Any) -> Outcome:
    """Run a task of this kind in a process of its own and return how it ended.

    `fields` are those of `Request` that the kind of task has: parameters, arguments, entry_point.
    Errors: ConfigError for a library that cannot be used or an environment that cannot be made.
    """
    state = context.directory.parents[2]  # <state>/runs/<run>/<task run>
    libraries = libraries_of(context.task, context.resolve, state / "envs" / "wheels")
    cache = context.cache or state / "envs"
    unmet = libraries.unmet()
    wanted = Wanted(requirements=unmet, options=libraries.options)
    overlays = (_overlay(wanted, cache, context),) if unmet else ()
    sources = tuple(source for site in overlays for source in in_place.folders(site))
    own = None if declares_environment(context.task) else _own(cache, context)
    if context.cancelled.is_set():
        return Outcome("CANCELED")
    request = Request(
        kind=kind,
        path=path,
        directory=context.directory,
        file=None if kind == "python_wheel" else context.resolve(path),
        places=Places.of_state(state),
        job_id=context.job_id,
        run_id=context.run_id,
        task_run_id=context.task_run_id,
        task_key=context.task_key,
        task_values=context.task_values,
        wheels=(*libraries.wheels, *overlays),
        sources=sources,
        jars=libraries.jars,
        own=own,
        cache=cache,
        requirements=tuple(
            text for text in libraries.requirements if not in_place.is_requirement(text)
        ),
        **fields,
    )
    request.write(context.directory / REQUEST_FILE)
    ended = run_process(
        [
            str(context.python),
            "-P",
            "-m",
            "laketop.runner.host",
            str(context.directory / REQUEST_FILE),
        ],
        cwd=context.directory,
        environment=child_environment(context.environment),
        log=context.directory / "output.log",
        cancelled=context.cancelled,
        fork=context.fork,
    )
    if ended.cancelled:
        return Outcome("CANCELED", exit_code=ended.exit_code)
    return read_outcome(context.directory, ended.exit_code)


def _own(cache: Path, context: TaskContext) -> Path | None:
    if context.own is None or not context.own.is_dir():
        return None
    problem = problem_of_version(context.own)
    if problem is None:
        return links_to(context.own, cache)
    say(problem, context)
    return None


def _overlay(wanted: Wanted, cache: Path, context: TaskContext) -> Path:
    return overlay(wanted, cache, resolver(context), lambda text: say(text, context))


def read_outcome(directory: Path, exit_code: int) -> Outcome:
    """Return what the process of a task has left in its folder, and its exit code."""
    values = _read(directory / VALUES_FILE) or {}
    result = _read(directory / RESULT_FILE)
    if result is None:
        return Outcome("FAILED", error=_killed(exit_code), values=values, exit_code=exit_code)
    failed = exit_code != 0 or result.get("error") is not None
    return Outcome(
        "FAILED" if failed else "SUCCESS",
        error=result.get("error") or (_killed(exit_code) if failed else None),
        error_trace=result.get("error_trace"),
        exit_value=result.get("exit_value"),
        values=values,
        output=_read(directory / OUTPUT_FILE) or {},
        exit_code=exit_code,
    )


def _killed(exit_code: int) -> str:
    if exit_code < 0:
        return f"the process was killed by signal {-exit_code}"
    return f"the process ended with exit code {exit_code}"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that runs laketop's own code.

    A source checkout is not on its path by itself; an installed laketop is.
    """
    source = Path(laketop.__file__).parents[1]
    if source.name in {"site-packages", "dist-packages"}:
        return {**environment, "PYTHONUNBUFFERED": "1"}
    others = environment.get("PYTHONPATH")
    path = f"{source}:{others}" if others else str(source)
    return {**environment, "PYTHONUNBUFFERED": "1", "PYTHONPATH": path}

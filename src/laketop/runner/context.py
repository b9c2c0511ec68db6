"""What a task is handed when it starts, and what it hands back when it ends."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

from laketop.errors import EngineMissing, NotFound, Refused

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from laketop.runner.alerts import Finding
    from laketop.runner.process import Fork


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChildRun:
    """The run that a run_job task started, after its end; `result_state` is its result."""

    run_id: int
    result_state: str
    message: str = ""


def _no_iterations(
    nested: Mapping[str, Any], inputs: Sequence[Any], concurrency: int
) -> tuple[str, str | None]:
    raise Refused(f"{concurrency} at once of {len(inputs)} iterations of {nested!r} by itself")


def no_java() -> Path:
    """Raise EngineMissing: nobody said where Java is."""
    raise EngineMissing("no Java is known for this task")


def no_credential(provider: str, url: str) -> Mapping[str, str]:  # noqa: ARG001 - nobody keeps one
    """Return no settings: git shows nothing but what the machine's own configuration has."""
    return {}


def _nothing_saved(kind: str, name: str) -> Mapping[str, Any]:
    raise NotFound(kind, name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskContext:
    """All that one attempt of one task may know of the run it belongs to."""

    run_id: int
    """The job run; `job.run_id` in references."""
    job_id: int
    task_run_id: int
    """This attempt; each attempt has another one."""
    task_key: str
    attempt: int
    """Counted from 0."""
    task: Mapping[str, Any]
    """The whole settings of the task, REST form, dynamic references resolved."""
    job_parameters: Mapping[str, str]
    task_values: Mapping[str, Mapping[str, Any]]
    """What the tasks upstream have set: {task_key: {key: value}}."""
    directory: Path
    """This attempt's own folder, which exists: output.log, result.json, values.json."""
    environment: Mapping[str, str] = dataclasses.field(repr=False)
    """The full environment of the child process; it holds the token."""
    python: Path
    """The interpreter of the task."""
    cache: Path | None = None
    """Where environments are kept, for all projects of the user; None = with the project."""
    own: Path | None = None
    """The project's own environment, for tasks that declare none; None = the interpreter's."""
    java: Callable[[], Path] = no_java
    """Find the `java` for tasks in a JVM; EngineMissing where there is none."""
    resolve: Callable[[str], Path]
    """Turn a path of the workspace into a path on disk."""
    cancelled: threading.Event
    """Set when the attempt has to stop: canceled or out of time. Tasks poll or pass it on."""
    run_job: Callable[[int, Mapping[str, str], Mapping[str, Any]], ChildRun]
    """Start a job with these parameters, and these of its tasks, wait for its end."""
    place: str = ""
    """The task's key; in a for_each task the number of the iteration."""
    run_each: Callable[[Mapping[str, Any], Sequence[Any], int], tuple[str, str | None]] = (
        _no_iterations
    )
    """Run a nested task once for each input, so many at once; return result and error."""
    saved: Callable[[str, str], Mapping[str, Any]] = _nothing_saved
    """Return the saved "query" or "alert" with an id, as the API has it."""
    found: Callable[[Finding], None] = lambda _: None
    """Takes the state in which the task has found an alert."""
    fork: Fork | None = None
    """Starts the process of a task faster than a new interpreter would."""
    git: Callable[[str, str], Mapping[str, str]] = no_credential
    """Return the settings by which git shows an address of a provider whom the run is of."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How an attempt ended; `result_state` is SUCCESS, FAILED, CANCELED or TIMEDOUT."""

    result_state: str
    error: str | None = None
    error_trace: str | None = None
    exit_value: str | None = None
    """What the notebook handed to `dbutils.notebook.exit`."""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The task values that the attempt set."""
    output: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Of a SQL or alert task: `rows`, a list of objects, and of an alert `alert_state`."""
    condition: bool | None = None
    """The outcome of a condition task."""
    reason: str | None = None
    """What `state_message` says, where that is not what it says of every task that failed."""
    exit_code: int | None = None
    child_run_id: int | None = None


class TaskType(Protocol):
    """One type of task: the one class of a file in `laketop.runner.tasks`.

    The class is created without arguments, once a process, and used by many threads. A class
    that only waits or computes nothing sets `waits = True`: it then takes no slot of the pool.
    """

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Carry out one attempt; `task` is `context.task`.

        Errors: a LaketopError becomes a FAILED attempt with its message; anything else too,
        with the traceback as `error_trace`.
        """
        ...

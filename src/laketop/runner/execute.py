"""Carries a job run out: starts what may start, stops what has to stop, tells who listens."""

from __future__ import annotations

import dataclasses
import json
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from laketop import durable
from laketop.engine.connect import called
from laketop.errors import ConfigError, LaketopError, NotFound
from laketop.runner import engine_end, full_disk
from laketop.runner.attempt import type_of
from laketop.runner.context import Outcome, TaskContext, no_credential, no_java
from laketop.runner.iterations import IterationsRun, Surroundings
from laketop.runner.steady_clock import SteadyClock
from laketop.runner.tasks import refuse_unknown, task_types
from laketop.runner.variables import with_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laketop.runner.alerts import Finding
    from laketop.runner.attempt import Attempt
    from laketop.runner.context import ChildRun, TaskType
    from laketop.runner.pool import Pool
    from laketop.runner.process import Fork
    from laketop.runner.run import JobRun

CLOCK_CHECK_SECONDS: Final = 0.2
"""How often a clock that may be moved is looked at while something is due."""
OUTCOME_FILE: Final = "outcome.json"
_CANCEL_CHECK_SECONDS: Final = 0.05
_NO_PROCESS: Final[tuple[Mapping[str, str], Path]] = ({}, Path(sys.executable))
"""The environment and interpreter of tasks that start no process: those that wait."""
_RESULTS: Final = frozenset({"SUCCESS", "FAILED", "CANCELED", "TIMEDOUT"})

Built = TypeVar("Built")


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobCall:
    """The wish of a run_job task: run this job, return when it has ended.

    `cancelled` is set when the task has to stop; whoever carries the call out cancels the child.
    """

    job_id: int
    parameters: Mapping[str, str]
    run_id: int
    task_run_id: int
    cancelled: threading.Event
    of_tasks: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Parameters of the tasks of the job, by the names of run-now: `notebook_params` …"""


def _nothing_saved(kind: str, name: str) -> Mapping[str, Any]:
    raise NotFound(kind, name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """What a workspace offers to the runs that it carries out."""

    runs: Path
    """The folder of the attempts' folders: <run_id>/<task_run_id>."""
    environment: Callable[[Mapping[str, Any]], Mapping[str, str]]
    """The environment variables of a task, from its settings; not asked for tasks that wait.

    It may take minutes: an attempt that is canceled meanwhile ends without it.
    """
    python: Callable[[Mapping[str, Any]], Path]
    """The interpreter of a task, built if need be; asked like `environment`, after it."""
    resolve: Callable[[str], Path]
    run_job: Callable[[JobCall], ChildRun]
    now_ms: Callable[[], int]
    """The time of day, which may jump."""
    pool: Pool
    steady_ms: Callable[[], int] | None = None
    """A time that never jumps, from wherever it began; None = `now_ms` is one."""
    engine: Callable[[], object] = lambda: None
    """Returns what is another thing once the engine has ended."""
    java: Callable[[], Path] = no_java
    """Finds the `java` for tasks in a JVM."""
    fork: Fork | None = None
    cache: Path | None = None
    """Where environments of tasks are kept, for all projects of the user; None = by the runs."""
    own: Path | None = None
    """The project's own environment, for tasks that declare none."""
    saved: Callable[[str, str], Mapping[str, Any]] = _nothing_saved
    """The saved "query" or "alert" with an id, as the API has it."""
    found: Callable[[Finding], None] = lambda _: None
    """As `TaskContext.found`."""
    git: Callable[[str, str], Mapping[str, str]] = no_credential
    """As `TaskContext.git`."""
    types: Mapping[str, TaskType] = dataclasses.field(default_factory=task_types)


class Execution:
    """One run being carried out. One thread owns the state; tasks run in others.

    `listener` is handed a snapshot after every change, always by that one thread; changes that
    come together are told together. If it raises, the tasks are stopped, `on_failure` is handed
    the error once nothing of the run is left, and `wait` raises. `at_once` limits how many
    attempts are carried out at the same time, None = as many as may start.
    Errors: Refused for a task type that does not exist, before anything has started.
    """

    def __init__(
        self,
        run: JobRun,
        site: Site,
        listener: Callable[[dict[str, Any]], None],
        *,
        on_failure: Callable[[BaseException], None] = lambda _: None,
        at_once: int | None = None,
    ) -> None:
        refuse_unknown(run.tasks, site.types)
        self._run = run
        self._site = site
        self._listener = listener
        self._on_failure = on_failure
        self._at_once = at_once
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._works: dict[int, _Work] = {}
        self._told = -1
        self._failure: BaseException | None = None
        self._ended = threading.Event()
        self.clock = SteadyClock(site.now_ms, site.steady_ms)
        """What every time that the run is told comes from."""
        self._name = f"laketop-run-{run.request.run_id}"

    def start(self) -> None:
        """Begin to carry the run out."""
        threading.Thread(target=self._drive, name=self._name, daemon=True).start()

    def cancel(self, task_run_id: int | None = None) -> None:
        """Ask for the end of the run, or of one attempt of it; does not wait for it.

        Errors: NotFound for an attempt that is not of this run.
        """
        if task_run_id is None or self._run.has(task_run_id):
            self._inbox.put(lambda: self._run.cancel(self.clock(), task_run_id))
            return
        for work in list(self._works.values()):
            if work.has(task_run_id):
                work.cancel_iteration(task_run_id)
                return
        raise NotFound("task run", str(task_run_id))

    def has(self, task_run_id: int) -> bool:
        """Return whether this is an attempt of the run, or of an iteration in it."""
        works = list(self._works.values())
        return self._run.has(task_run_id) or any(work.has(task_run_id) for work in works)

    def limit_time(self, timeout_seconds: int) -> None:
        """Let the run time out after so many seconds since its start, 0 = never."""
        self._inbox.put(lambda: self._run.limit_time(timeout_seconds))

    def wake(self) -> None:
        """Look at the clock: it was moved."""
        self._inbox.put(lambda: None)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait for the end of the run; return whether it has ended.

        Once it has, nothing of it runs any more and the last snapshot was listened to.
        Errors: what the listener raised.
        """
        ended = self._ended.wait(timeout_seconds)
        if self._failure is not None:
            raise self._failure
        return ended

    def _drive(self) -> None:
        try:
            while self._step():
                self._await_news()
        except BaseException as error:  # noqa: BLE001 - `wait` raises it, in another thread
            self._failure = error
            self._abandon()
            self._on_failure(error)
        finally:
            self._ended.set()

    def _step(self) -> bool:
        self._run.ahead_ms = self.clock.ahead_ms()
        self._run.advance(self.clock())
        for attempt in self._run.stopping():
            self._stop(attempt)
        if self._told != self._run.changes:
            self._told = self._run.changes
            self._listener(self._run.snapshot())
        # After it was told: what a kill leaves running has been written down.
        for attempt in self._run.startable():
            if attempt.run_id not in self._works and self._has_room():
                self._begin(attempt)
        return not self._run.is_final

    def _has_room(self) -> bool:
        if self._at_once is None:
            return True
        return sum(not work.ended.is_set() for work in self._works.values()) < self._at_once

    def _await_news(self) -> None:
        due_ms = self._run.due_ms()
        timeout_seconds = None
        if due_ms is not None:
            left_seconds = max(0, due_ms - self.clock()) / 1000
            timeout_seconds = min(left_seconds, CLOCK_CHECK_SECONDS)
        try:
            news = self._inbox.get(timeout=timeout_seconds)
            self._run.ahead_ms = self.clock.ahead_ms()
            news()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def _begin(self, attempt: Attempt) -> None:
        self._work(attempt).begin()

    def _stop(self, attempt: Attempt) -> None:
        work = self._works.get(attempt.run_id)
        if work is None:  # it was to start in this very step
            work = self._work(attempt)
            work.finish(Outcome("CANCELED"))
        work.stop()

    def _work(self, attempt: Attempt) -> _Work:
        work = _Work(self._site, self._run, attempt, self._inbox.put, self.clock)
        self._works[attempt.run_id] = work
        return work

    def _abandon(self) -> None:
        for work in self._works.values():
            work.stop()
        for work in self._works.values():
            work.ended.wait()


class _Work:
    # One attempt, from the pool's queue to its outcome. `tell` hands what happened to the thread
    # that owns the state of the run.
    def __init__(
        self,
        site: Site,
        run: JobRun,
        attempt: Attempt,
        tell: Callable[[Callable[[], None]], None],
        clock: SteadyClock,
    ) -> None:
        self.ended = threading.Event()
        self._site = site
        self._run = run
        self._attempt = attempt
        self._tell = tell
        self._clock = clock
        self._cancelled = threading.Event()
        self._directory = site.runs / str(run.request.run_id) / str(attempt.run_id)
        self._type = site.types[type_of(attempt.task)]
        self._waits = getattr(self._type, "waits", False)
        self._task: Mapping[str, Any] = attempt.task
        self._values: Mapping[str, Mapping[str, Any]] = {}
        self._around: Surroundings | None = None
        self._iterations: Execution | None = None

    def begin(self) -> None:
        try:
            self._task = self._run.resolved(self._attempt)
        except ConfigError as error:
            self.finish(Outcome("FAILED", error=str(error)))
            return
        self._values = self._run.task_values(self._attempt.key)
        if "for_each_task" in self._task:
            self._around = Surroundings(
                scope=self._run.scope_of(self._attempt),
                parameters=self._run.job_parameters,
                values=self._values,
            )
        if self._waits:
            threading.Thread(target=self._carry_out, name="laketop-wait", daemon=True).start()
        else:
            self._site.pool.submit(self._carry_out)

    def stop(self) -> None:
        if not self._cancelled.is_set():
            self._cancelled.set()
            if self._site.pool.withdraw(self._carry_out):
                self.finish(Outcome("CANCELED"))

    def finish(self, outcome: Outcome) -> None:
        outcome = _kept(outcome, self._directory, flush=not self._waits)
        now_ms = self._clock()
        self._tell(lambda: self._run.task_finished(self._attempt.run_id, outcome, now_ms))
        self.ended.set()

    def _carry_out(self) -> None:
        if self._cancelled.is_set():
            self.finish(Outcome("CANCELED"))
            return
        now_ms = self._clock()
        self._tell(lambda: self._run.task_started(self._attempt.run_id, now_ms))
        try:
            context = self._context()
            engine = self._site.engine()
            canceled = Outcome("CANCELED")
            outcome = canceled if context is None else self._type.run(self._task, context)
            if self._site.engine() != engine:
                outcome = engine_end.told(outcome)
            outcome = full_disk.told(outcome, self._directory)
        except LaketopError as error:
            outcome = Outcome("FAILED", error=str(error))
        except BaseException as error:  # noqa: BLE001 - the boundary: a task that fails, fails alone
            trace = traceback.format_exc()
            outcome = Outcome("FAILED", error=f"{type(error).__name__}: {error}", error_trace=trace)
        self.finish(outcome)

    def _context(self) -> TaskContext | None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        surroundings = _NO_PROCESS if self._waits else _unless(self._cancelled, self._surroundings)
        if surroundings is None:
            return None
        environment, python = surroundings
        run, attempt = self._run, self._attempt
        return TaskContext(
            run_id=run.request.run_id,
            job_id=run.request.job_id,
            task_run_id=attempt.run_id,
            task_key=str(self._task["task_key"]),
            attempt=attempt.number,
            place=attempt.key,
            task=self._task,
            job_parameters=run.job_parameters,
            task_values=self._values,
            directory=self._directory,
            environment=environment,
            python=python,
            java=self._site.java,
            resolve=self._site.resolve,
            cancelled=self._cancelled,
            run_job=self._run_job,
            run_each=self._run_each,
            saved=self._site.saved,
            found=self._site.found,
            cache=self._site.cache,
            own=self._site.own,
            fork=self._site.fork,
            git=self._site.git,
        )

    def has(self, task_run_id: int) -> bool:
        iterations = self._iterations
        return iterations is not None and iterations.has(task_run_id)

    def cancel_iteration(self, task_run_id: int) -> None:
        if self._iterations is not None:
            self._iterations.cancel(task_run_id)

    def _surroundings(self) -> tuple[Mapping[str, str], Path]:
        site, request = self._site, self._run.request
        environment = with_variables(self._task, site.environment(self._task), site.resolve)
        remote = environment.get("SPARK_REMOTE")
        if remote:
            caller = f"JOB:{request.job_id}:{request.run_id}:{self._attempt.run_id}"
            environment = {**environment, "SPARK_REMOTE": called(remote, caller)}
        return environment, self._site.python(self._task)

    def _run_job(
        self, job_id: int, parameters: Mapping[str, str], of_tasks: Mapping[str, Any]
    ) -> ChildRun:
        call = JobCall(
            job_id=job_id,
            parameters=parameters,
            of_tasks=of_tasks,
            run_id=self._run.request.run_id,
            task_run_id=self._attempt.run_id,
            cancelled=self._cancelled,
        )
        return self._site.run_job(call)

    def _run_each(
        self, nested: Mapping[str, Any], inputs: Sequence[Any], concurrency: int
    ) -> tuple[str, str | None]:
        if self._around is None:
            raise ConfigError(f"task {self._attempt.key!r} is no for_each task")
        run, attempt = self._run, self._attempt
        if not inputs:
            return "SUCCESS", None
        # The state of the run around belongs to another thread: only what cannot change is read.
        inner = IterationsRun(nested, inputs, run.request, run.new_run_id, around=self._around)

        def told(_: Mapping[str, Any]) -> None:
            iterations, stats = inner.iterations(), inner.stats()
            self._tell(lambda: run.iterations_told(attempt.run_id, iterations, stats))

        self._iterations = Execution(inner, self._site, told, at_once=concurrency)
        self._iterations.start()
        asked = False
        while not self._iterations.wait(_CANCEL_CHECK_SECONDS):
            if self._cancelled.is_set() and not asked:
                self._iterations.cancel()
                asked = True
        return _end_of(inner)


def _end_of(inner: IterationsRun) -> tuple[str, str | None]:
    result = inner.result or "FAILED"
    stats = inner.stats()["task_run_stats"]
    if result == "SUCCESS":
        return result, None
    failed, total = stats["failed_iterations"], stats["total_iterations"]
    return result, f"{failed} of {total} iterations did not succeed"


def _unless(cancelled: threading.Event, build: Callable[[], Built]) -> Built | None:
    # What `build` returns or raises; None if it is canceled first. What it waits for cannot be
    # interrupted, so then its thread is left behind: a daemon that nobody listens to.
    built: list[Built] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            built.append(build())
        except BaseException as error:  # noqa: BLE001 - raised below, in the attempt's thread
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="laketop-environment", daemon=True).start()
    while not done.wait(_CANCEL_CHECK_SECONDS):
        if cancelled.is_set():
            return None
    if errors:
        raise errors[0]
    return None if cancelled.is_set() else built[0]


def _kept(outcome: Outcome, directory: Path, *, flush: bool) -> Outcome:
    # The outcome is on disk before anyone hears of it; one that cannot be kept is a failure.
    # What computed nothing is not flushed: a job of a thousand conditions would wait for the disk.
    if outcome.result_state not in _RESULTS:
        error = f"{outcome.result_state!r} is no result of a task"
        failed = dataclasses.replace(outcome, result_state="FAILED", error=error)
        return _kept(failed, directory, flush=flush)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps(dataclasses.asdict(outcome), allow_nan=False)
        if flush:
            durable.write(directory / OUTCOME_FILE, text.encode())
        else:
            (directory / OUTCOME_FILE).write_text(text, encoding="utf-8")
    except (OSError, TypeError, ValueError) as error:
        unkept = Outcome("FAILED", error=f"the outcome cannot be kept: {error}")
        return full_disk.told(unkept, directory)
    return outcome

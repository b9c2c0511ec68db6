"""Carries the runs of a workspace out: begins, queues, cancels, and writes down how they stand."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from laketop.errors import ConfigError, LaketopError, Refused
from laketop.runner.chaos import chaotic
from laketop.runner.context import ChildRun
from laketop.runner.execute import Execution, JobCall, Site
from laketop.runner.run import JobRun, settle
from laketop.workspace.quiet import parent_of, waits_for_the_clock
from laketop.workspace.run_records import RunRecord, RunRecords
from laketop.workspace.store import Store

_DEEPEST = 3
"""How many levels of run_job tasks may lie below a run. Source: Databricks docs, task types."""
LONGEST_QUEUED_MS = 48 * 3_600_000
"""Source: Jobs API 2.2, queueing; what becomes of a run that waited longer is laketop's choice."""
_CANCEL_CHECK_SECONDS = 0.2
_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 1.0
_NOT_WRITTEN = "the end of the run cannot be written down; it is told once there is room for it"

Notify = Callable[[JobRun, Mapping[str, Any]], None]
"""Is handed a run with events that nobody took yet, and its snapshot."""

log = logging.getLogger("laketop.workspace")


@dataclasses.dataclass
class _Running:
    run: JobRun
    execution: Execution
    chain: tuple[int, ...]
    snapshot: Mapping[str, Any]
    """As it was told last, written down or not."""
    parent: int | None
    """The attempt of a run_job task that waits for it."""
    has_begun: bool = False

    def is_late(self) -> bool:
        """Whether it has queued for too long."""
        return _longest_queued_ms(self.run) <= self.execution.clock()

    def told_time(self) -> int:
        """Return the time for a run that nobody carries out yet, which is told of jumps too."""
        self.run.ahead_ms = self.execution.clock.ahead_ms()
        return self.execution.clock()


class Dispatcher:
    """The runs of this process that are not final yet.

    `limit_of` tells how many runs of a job may be active; `start_child` makes the run of a
    run_job task, inside a transaction, and returns its id; `notify` hears of every change, once it
    is written down; `site_for` gives a run a site of its own, such as another user's.
    """

    def __init__(
        self,
        store: Store,
        records: RunRecords,
        site: Callable[[Callable[[JobCall], ChildRun]], Site],
        *,
        limit_of: Callable[[int], int],
        start_child: Callable[[JobCall, tuple[int, ...]], int],
        notify: Notify = lambda _run, _snapshot: None,
        site_for: Callable[[Site, RunRecord], Site] = lambda site, _record: site,
    ) -> None:
        self._store = store
        self._records = records
        self._site = site(self._run_job)
        self._limit_of = limit_of
        self._start_child = start_child
        self._notify = notify
        self._site_for = site_for
        self._runs: dict[int, _Running] = {}
        self._changes: dict[int, int] = {}
        self._troubles: dict[int, str] = {}
        self._final = threading.Condition()
        self._closed = threading.Event()

    def settle(
        self, now_ms: int, *, but: Callable[[RunRecord], bool] = lambda _record: False
    ) -> None:
        """End the runs that an earlier process left active, `but` some. Source: reliability R3."""
        for record in self.left_active():
            if not but(record):
                self._records.update(record.run_id, settle(record.snapshot, now_ms=now_ms))

    def left_active(self) -> list[RunRecord]:
        """Return the runs that an earlier process left active, inside a transaction."""
        left = [run_id for run_id in self._records.active() if run_id not in self._runs]
        found = map(self._records.get, left)
        return [record for record in found if record is not None]

    def add(self, run: JobRun, record: RunRecord) -> None:
        """Take a run on, inside the transaction that makes it; it begins once that is committed.

        Errors: ConfigError or Refused for tasks that cannot be run.
        """
        self._records.insert(record)
        if run.is_final:
            self._store.after_commit(lambda: self._notify(run, record.snapshot))
        else:
            self._take_on(run, record)

    def go_on(self, run: JobRun, record: RunRecord) -> None:
        """Take a run on again that had ended, inside the transaction that repairs it.

        Errors: as `add`.
        """
        self._records.go_on(record.run_id, record.more, record.snapshot)
        self._take_on(run, record)

    def started_by(self, task_run_id: int) -> int | None:
        """Return the run that an attempt of a run_job task waits for, None where it waits for none.

        Once the attempt has ended its outcome tells it.
        """
        running = list(self._runs.items())
        return next((run_id for run_id, one in running if one.parent == task_run_id), None)

    def _take_on(self, run: JobRun, record: RunRecord) -> None:
        chain = (*record.more.get("chain", ()), record.job_id)
        seed = record.more.get("chaos_seed")
        site = self._site_for(self._site, record)
        if seed is not None:
            site = chaotic(site, seed, site.runs / str(record.run_id))
        execution = Execution(
            run,
            site,
            lambda told: self._told(record.run_id, told),
            on_failure=lambda error: self._give_up(record.run_id, error),
        )
        parent = parent_of(record.more)
        self._runs[record.run_id] = _Running(run, execution, chain, record.snapshot, parent)
        self._changes[record.run_id] = 0
        if run.snapshot()["state"]["life_cycle_state"] != "QUEUED":
            self._store.after_commit(lambda: self._begin(record.run_id))

    def wait_until_quiet(self, stop: threading.Event) -> None:
        """Wait until nothing goes on by itself: what is left waits for the clock, or is `stop`ped.

        Runs of continuous jobs are not waited for.
        """
        with self._final:
            while not (self._closed.is_set() or stop.is_set() or self._is_quiet()):
                self._final.wait(_CANCEL_CHECK_SECONDS)

    def due_ms(self) -> int | None:
        """Return when a run that waits for the clock goes on, or has queued for too long.

        None if there is none.
        """
        runs = list(self._runs.values())
        due = [(one, one.run.due_ms()) for one in runs if one.has_begun]
        due += [(one, _longest_queued_ms(one.run)) for one in runs if one.run.is_queued]
        return min(
            (at_ms + one.execution.clock.ahead_ms() for one, at_ms in due if at_ms is not None),
            default=None,
        )

    def wake(self) -> None:
        """Let every run look at the clock: it was moved."""
        for running in list(self._runs.values()):
            running.execution.wake()

    def skip_late(self) -> None:
        """End the runs that have queued for too long, whatever they wait for."""

        def late() -> list[tuple[int, _Running]]:
            runs = list(self._runs.items())
            queued = [(run_id, one) for run_id, one in runs if one.run.is_queued]
            return [one for one in queued if one[1].is_late()]

        if late() and not self._closed.is_set():
            with self._store.transaction(write=True):
                for run_id, running in late():
                    self._end_queued(run_id, running, JobRun.skip)

    def _is_quiet(self) -> bool:
        runs = list(self._runs.values())
        parents = {running.parent for running in runs}
        return all(
            waits_for_the_clock(running.run, running.snapshot, parents, running.execution.clock())
            if running.has_begun
            else running.run.is_queued
            for running in runs
        )

    def changes(self, run_id: int) -> int | None:
        """Return a number that grows with each change of a run, None for one that is final."""
        return self._changes.get(run_id)

    def trouble(self, run_id: int) -> str | None:
        """Return why the end of a run is not told yet, though nothing of it goes on any more."""
        return self._troubles.get(run_id)

    def cancel(self, run_id: int, task_run_id: int | None) -> None:
        """Cancel a run or one attempt of it, inside a transaction; nothing happens to a final one.

        A queued run ends here and now, an active one once its tasks have.
        """
        running = self._runs.get(run_id)
        record = self._records.get(run_id)
        if running is None or record is None:
            return
        if record.life_cycle == "QUEUED":
            self._end_queued(run_id, running, JobRun.cancel)
            return
        self._store.after_commit(lambda: running.execution.cancel(task_run_id))

    def _end_queued(
        self, run_id: int, running: _Running, end: Callable[[JobRun, int], None]
    ) -> None:
        end(running.run, running.told_time())
        snapshot = running.run.snapshot()
        self._records.update(run_id, snapshot)
        self._store.after_commit(lambda: self._notify(running.run, snapshot))
        self._store.after_commit(lambda: self._forget(run_id))

    def limit_time(self, job_id: int, timeout_seconds: int) -> None:
        """Let the runs of a job time out after so many seconds, inside a transaction."""
        for running in list(self._runs.values()):
            is_of_job = running.run.request.job_id == job_id
            if is_of_job and running.run.request.run_type == "JOB_RUN":
                limit = running.execution.limit_time
                self._store.after_commit(lambda limit=limit: limit(timeout_seconds))  # type: ignore[misc]  # bound now

    def promote(self, job_id: int) -> None:
        """Let queued runs of a job begin, inside a transaction, as far as its limit allows.

        The one that waits longest is first (unverified); one that has waited for too long is
        skipped instead.
        """
        free = self._limit_of(job_id) - self._records.count_active(job_id)
        for run_id in self._records.queued(job_id):
            running = self._runs.get(run_id)
            if running is None or self._closed.is_set():
                continue
            if running.is_late():
                self._end_queued(run_id, running, JobRun.skip)
                continue
            if free <= 0:  # those behind it have not waited longer
                break
            free -= 1
            running.run.leave_queue(running.told_time())
            self._records.update(run_id, running.run.snapshot())
            self._store.after_commit(lambda run_id=run_id: self._begin(run_id))  # type: ignore[misc]  # bound now

    def close(self, timeout_seconds: float) -> None:
        """Cancel what is running and wait for it; what is queued is settled at the next start."""
        self._closed.set()
        begun = [running for running in list(self._runs.values()) if running.has_begun]
        for running in begun:
            running.execution.cancel()
        deadline = time.monotonic() + timeout_seconds
        for running in begun:
            try:
                if not running.execution.wait(max(deadline - time.monotonic(), 0)):
                    log.error("a run did not end within %s s", timeout_seconds)
            except Exception:
                log.exception("a run could not be written down")

    def _begin(self, run_id: int) -> None:
        running = self._runs.get(run_id)
        if running is not None and not self._closed.is_set():
            running.has_begun = True
            running.execution.start()

    def _told(self, run_id: int, snapshot: dict[str, Any]) -> None:
        running = self._runs[run_id]
        running.snapshot = snapshot
        with self._store.transaction(write=True, flush=running.run.is_final):
            self._records.update(run_id, snapshot)
            if running.run.is_final:
                self.promote(running.run.request.job_id)
        self._notify(running.run, snapshot)
        if running.run.is_final:
            self._forget(run_id)
        else:
            self._count(run_id)

    def _count(self, run_id: int) -> None:
        with self._final:
            self._changes[run_id] += 1
            self._final.notify_all()

    def _give_up(self, run_id: int, error: BaseException) -> None:
        # In the run's own thread, once its tasks have ended. What is not written down when the
        # workspace shuts down is settled at the next start.
        log.error("run %s cannot go on", run_id, exc_info=error)
        message = f"laketop could not go on with the run: {_cause(error)}"
        end = settle(self._runs[run_id].snapshot, message, now_ms=self._site.now_ms())
        wait_seconds = _FIRST_RETRY_SECONDS
        while not self._is_written(run_id, end) and not self._closed.wait(wait_seconds):
            wait_seconds = min(2 * wait_seconds, _LONGEST_RETRY_SECONDS)
        self._forget(run_id)

    def _is_written(self, run_id: int, end: Mapping[str, Any]) -> bool:
        try:
            with self._store.transaction(write=True):
                self._records.update(run_id, end)
                self.promote(self._runs[run_id].run.request.job_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            if run_id not in self._troubles:
                log.warning("the end of run %s is not written down yet: %s", run_id, _cause(error))
                self._troubles[run_id] = f"{_NOT_WRITTEN}: {_cause(error)}"
                self._count(run_id)
            return False
        return True

    def _forget(self, run_id: int) -> None:
        with self._final:
            self._changes.pop(run_id, None)
            self._troubles.pop(run_id, None)
            self._runs.pop(run_id, None)
            self._final.notify_all()

    def _run_job(self, call: JobCall) -> ChildRun:
        """Run a job for a task that waits; a cancel of the task reaches the run (unverified)."""
        parent = self._runs[call.run_id]
        _check_chain(parent.chain, call.job_id)
        if self._closed.is_set():
            raise LaketopError("the workspace is shutting down")
        with self._store.transaction(write=True):
            run_id = self._start_child(call, parent.chain)
        while not self._has_ended(run_id, _CANCEL_CHECK_SECONDS):
            if call.cancelled.is_set():
                self._cancel_child(run_id)
        return self._child(run_id)

    def _has_ended(self, run_id: int, timeout_seconds: float) -> bool:
        with self._final:
            return self._final.wait_for(lambda: run_id not in self._runs, timeout_seconds)

    def _cancel_child(self, run_id: int) -> None:
        try:
            with self._store.transaction(write=True):
                self.cancel(run_id, None)
        except Exception as error:  # noqa: BLE001 - it is tried again until the child has ended
            log.warning("run %s is not canceled yet: %s", run_id, _cause(error))

    def _child(self, run_id: int) -> ChildRun:
        with self._store.transaction(write=False):
            record = self._records.get(run_id)
        state: Mapping[str, Any] = record.snapshot["state"] if record is not None else {}
        return ChildRun(
            run_id=run_id,
            result_state=state.get("result_state", "FAILED"),
            message=state.get("state_message", ""),
        )


def _longest_queued_ms(run: JobRun) -> int:
    return run.request.created_ms + LONGEST_QUEUED_MS


def _cause(error: BaseException) -> str:
    line = next(iter(str(error).splitlines()), "")
    name = type(error).__name__
    return f"{line} ({name})" if line else name


def _check_chain(chain: tuple[int, ...], job_id: int) -> None:
    if job_id in chain:
        circle = " -> ".join(str(one) for one in (*chain, job_id))
        raise ConfigError(f"jobs start each other in a circle: {circle}")
    if len(chain) > _DEEPEST:
        raise Refused(f"a run_job task more than {_DEEPEST} levels deep")

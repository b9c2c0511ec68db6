"""The dispatcher with a store that fails for a while; the tasks are functions."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from laketop.runner.context import Outcome, TaskContext
from laketop.runner.execute import JobCall, Site
from laketop.runner.pool import Pool
from laketop.runner.run import JobRun, RunRequest
from laketop.runner.tasks import task_types
from laketop.workspace import dispatch, run_records
from laketop.workspace.dispatch import Dispatcher
from laketop.workspace.run_records import RunRecord, RunRecords
from laketop.workspace.store import Store

_SECONDS = 10.0
_JOB = 7
_CHILD = 8


class FailingStore(Store):
    """A store that refuses every write while `is_full`."""

    is_full = False
    refused = 0

    @contextlib.contextmanager
    def transaction(self, *, write: bool, flush: bool = True) -> Iterator[None]:
        """Run the block as one transaction, if there is room for it."""
        if write and self.is_full:
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        with super().transaction(write=write, flush=flush):
            yield


class Function:
    """A task type whose attempts are calls of functions, by task key."""

    def __init__(self, functions: Mapping[str, Callable[[TaskContext], Outcome]]) -> None:
        self._functions = functions

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Call the function of the task."""
        assert task is context.task
        return self._functions[context.task_key](context)


class Bench:
    """A dispatcher of jobs that allow one run at a time, and its store."""

    def __init__(self, folder: Path) -> None:
        self.functions: dict[str, Callable[[TaskContext], Outcome]] = {}
        self.clock: Iterator[int] = itertools.count(1_000)
        self.steady: Iterator[int] | None = None
        self.store = FailingStore(folder / "laketop.db")
        self.records = RunRecords(self.store)
        with self.store.transaction(write=True):
            for statement in run_records.SCHEMA:
                self.store.execute(statement)
            self.records.load_ids()
        self.dispatcher = Dispatcher(
            self.store,
            self.records,
            lambda run_job: Site(
                runs=folder / "runs",
                environment=lambda _: {},
                python=lambda _: Path(sys.executable),
                resolve=lambda path: folder / path,
                run_job=run_job,
                now_ms=lambda: next(self.clock),
                steady_ms=lambda: next(self.steady or self.clock),
                pool=Pool(4),
                types={**task_types(), "function": Function(self.functions)},
            ),
            limit_of=lambda _: 1,
            start_child=self._start_child,
        )

    def _start_child(self, call: JobCall, chain: tuple[int, ...]) -> int:
        return self._add(call.job_id, [task("child")], chain=chain)

    def _add(self, job_id: int, tasks: list[dict[str, Any]], **more: Any) -> int:
        request = RunRequest(job_id=job_id, run_id=self.records.new_id(), created_ms=1_000)
        run = JobRun({"tasks": tasks}, request, self.records.new_id)
        if self.records.count_active(job_id):
            run.queue(1)
        snapshot = run.snapshot()
        record = RunRecord(request.run_id, job_id, "me", "JOB_RUN", more, snapshot)
        self.dispatcher.add(run, record)
        return request.run_id

    def start(self, *tasks: dict[str, Any], job_id: int = _JOB) -> int:
        with self.store.transaction(write=True):
            return self._add(job_id, list(tasks))

    def record(self, run_id: int) -> RunRecord:
        with self.store.transaction(write=False):
            record = self.records.get(run_id)
        assert record is not None
        return record

    def ended(self, run_id: int) -> RunRecord:
        until(lambda: self.record(run_id).is_final)
        until(lambda: self.dispatcher.changes(run_id) is None)
        return self.record(run_id)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(dispatch, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(dispatch, "_CANCEL_CHECK_SECONDS", 0.01)
    bench = Bench(tmp_path)
    yield bench
    bench.dispatcher.close(_SECONDS)
    bench.store.close()


def task(key: str, *parents: str, **more: Any) -> dict[str, Any]:
    kind = more or {"function_task": {}}
    return {"task_key": key, "depends_on": [{"task_key": each} for each in parents], **kind}


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


@dataclasses.dataclass
class Waiting:
    """A task that has started, and goes on until it is told to."""

    started: threading.Event = dataclasses.field(default_factory=threading.Event)
    go: threading.Event = dataclasses.field(default_factory=threading.Event)
    was_canceled: bool = False

    def __call__(self, context: TaskContext) -> Outcome:
        self.started.set()
        end = time.monotonic() + _SECONDS
        while not self.go.is_set() and time.monotonic() < end:
            if context.cancelled.wait(0.005):
                self.was_canceled = True
                return Outcome("CANCELED")
        return Outcome("SUCCESS")


def test_a_run_that_cannot_be_written_down_ends_once_the_store_works(bench: Bench) -> None:
    first, second = Waiting(), Waiting()
    bench.functions.update(a=first, b=second, c=lambda _: Outcome("SUCCESS"))
    run_id = bench.start(task("a"), task("b"), task("c", "a"))
    queued = bench.start(task("c"))
    assert first.started.wait(_SECONDS)
    assert second.started.wait(_SECONDS)
    until(lambda: bench.record(run_id).tasks[1]["state"]["life_cycle_state"] == "RUNNING")

    bench.store.is_full = True
    first.go.set()
    until(lambda: bench.store.refused > 3)
    assert second.was_canceled
    assert not bench.record(run_id).is_final
    assert "database or disk is full" in (bench.dispatcher.trouble(run_id) or "")
    bench.store.is_full = False

    record = bench.ended(run_id)
    assert bench.dispatcher.trouble(run_id) is None
    why = "laketop could not go on with the run: database or disk is full (OperationalError)"
    assert record.life_cycle == "INTERNAL_ERROR"
    assert record.snapshot["state"]["result_state"] == "FAILED"
    assert record.snapshot["state"]["state_message"] == why
    assert [item["state"]["life_cycle_state"] for item in record.tasks] == [
        "TERMINATED",
        "INTERNAL_ERROR",
        "INTERNAL_ERROR",
    ]
    assert bench.ended(queued).life_cycle == "TERMINATED", "the slot of its job was not free"


def test_a_run_whose_very_end_cannot_be_written_down_keeps_its_result(bench: Bench) -> None:
    only = Waiting()
    bench.functions["a"] = only
    run_id = bench.start(task("a"))
    until(lambda: bench.record(run_id).tasks[0]["state"]["life_cycle_state"] == "RUNNING")
    bench.store.is_full = True
    only.go.set()
    until(lambda: bench.store.refused > 1)
    bench.store.is_full = False
    assert bench.ended(run_id).snapshot["state"]["result_state"] == "SUCCESS"


def test_a_run_that_was_queued_for_two_days_is_skipped(bench: Bench) -> None:
    bench.clock = itertools.repeat(1_000)
    only = Waiting()
    bench.functions.update(a=only, b=lambda _: Outcome("SUCCESS"))
    bench.start(task("a"))
    assert only.started.wait(_SECONDS)
    queued = bench.start(task("b"))
    for now_ms, word in (
        (1_000 + dispatch.LONGEST_QUEUED_MS - 1, "QUEUED"),
        (1_000 + dispatch.LONGEST_QUEUED_MS, "SKIPPED"),
    ):
        bench.clock = itertools.repeat(now_ms)
        with bench.store.transaction(write=True):
            bench.dispatcher.promote(_JOB)
        assert bench.record(queued).life_cycle == word
    assert bench.dispatcher.changes(queued) is None
    only.go.set()


def test_a_queue_behind_a_run_that_does_not_end_is_not_longer_than_two_days(bench: Bench) -> None:
    bench.clock = itertools.repeat(1_000)
    only = Waiting()
    bench.functions.update(a=only, b=lambda _: Outcome("SUCCESS"))
    bench.start(task("a"))
    assert only.started.wait(_SECONDS)
    assert bench.dispatcher.due_ms() is None
    queued = bench.start(task("b"))
    due_ms = bench.dispatcher.due_ms()
    assert due_ms == 1_000 + dispatch.LONGEST_QUEUED_MS
    bench.clock = itertools.repeat(due_ms - 1)
    bench.dispatcher.skip_late()
    assert bench.record(queued).life_cycle == "QUEUED"
    bench.clock = itertools.repeat(due_ms)
    bench.dispatcher.skip_late()
    assert bench.record(queued).life_cycle == "SKIPPED"
    assert bench.dispatcher.due_ms() is None
    only.go.set()


def test_a_time_of_day_that_jumps_ends_no_queue(bench: Bench) -> None:
    bench.steady = itertools.repeat(5)
    only = Waiting()
    bench.functions.update(a=only, b=lambda _: Outcome("SUCCESS"))
    bench.clock = itertools.repeat(1_000)
    bench.start(task("a"))
    assert only.started.wait(_SECONDS)
    queued = bench.start(task("b"))
    bench.clock = itertools.repeat(1_000 + 3 * dispatch.LONGEST_QUEUED_MS)
    bench.dispatcher.skip_late()
    assert bench.record(queued).life_cycle == "QUEUED"
    assert bench.dispatcher.due_ms() == 1_000 + 4 * dispatch.LONGEST_QUEUED_MS
    only.go.set()
    ended = bench.ended(queued).snapshot
    assert ended["state"]["result_state"] == "SUCCESS"
    assert (ended["start_time"], ended["queue_duration"]) == (
        1_000 + 3 * dispatch.LONGEST_QUEUED_MS,
        0,
    )


def test_a_time_limit_that_changes_ends_the_active_runs_of_its_job(bench: Bench) -> None:
    first, second = Waiting(), Waiting()
    bench.functions.update(a=first, b=second)
    run_id = bench.start(task("a"))
    assert first.started.wait(_SECONDS)
    with bench.store.transaction(write=True):
        bench.dispatcher.limit_time(_CHILD, 1)
        bench.dispatcher.limit_time(_JOB, 1)
    bench.clock = itertools.count(2_000)

    def is_over() -> bool:
        bench.dispatcher.wake()
        return bench.record(run_id).is_final

    until(is_over)
    assert bench.ended(run_id).snapshot["state"]["result_state"] == "TIMEDOUT"
    assert first.was_canceled


def test_a_child_that_cannot_be_canceled_at_once_is_canceled_later(bench: Bench) -> None:
    child = Waiting()
    bench.functions["child"] = child
    run_id = bench.start(task("call", run_job_task={"job_id": _CHILD}))
    assert child.started.wait(_SECONDS)
    with bench.store.transaction(write=True):
        bench.dispatcher.cancel(run_id, None)
        bench.store.is_full = True
    until(lambda: bench.store.refused > 1)
    bench.store.is_full = False
    bench.ended(run_id)
    assert child.was_canceled


def test_a_shutdown_does_not_wait_for_a_store_that_fails(bench: Bench) -> None:
    only = Waiting()
    bench.functions["a"] = only
    run_id = bench.start(task("a"))
    assert only.started.wait(_SECONDS)
    until(lambda: bench.record(run_id).tasks[0]["state"]["life_cycle_state"] == "RUNNING")
    bench.store.is_full = True
    before = time.monotonic()
    bench.dispatcher.close(_SECONDS)
    assert time.monotonic() - before < _SECONDS / 2
    assert only.was_canceled
    assert bench.dispatcher.changes(run_id) is None

    bench.store.is_full = False
    with bench.store.transaction(write=True):
        bench.dispatcher.settle(3_000)
    assert bench.record(run_id).life_cycle == "INTERNAL_ERROR"


def test_runs_of_many_jobs_at_once_share_the_pool_and_end(bench: Bench) -> None:
    guard = threading.Lock()
    now, most, ran = 0, 0, 0

    def counted(_: TaskContext) -> Outcome:
        nonlocal now, most, ran
        with guard:
            now, ran = now + 1, ran + 1
            most = max(most, now)
        time.sleep(0.001)
        with guard:
            now -= 1
        return Outcome("SUCCESS")

    bench.functions.update(a=counted)
    with ThreadPoolExecutor(8) as clients:
        jobs = range(100, 160)
        runs = list(clients.map(lambda job: bench.start(task("a"), job_id=job), jobs))
    assert len(set(runs)) == len(jobs)
    results = {bench.ended(run_id).snapshot["state"]["result_state"] for run_id in runs}
    assert results == {"SUCCESS"}
    assert ran == len(jobs)
    assert 1 < most <= 4
    assert bench.dispatcher.due_ms() is None

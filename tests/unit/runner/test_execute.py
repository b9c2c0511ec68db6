"""Runs being carried out; the tasks are functions, the threads are real."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from laketop.errors import NotFound, Refused
from laketop.runner.context import ChildRun, Outcome, TaskContext
from laketop.runner.execute import Execution, JobCall, Site
from laketop.runner.pool import Pool
from laketop.runner.run import JobRun, RunRequest
from laketop.runner.tasks import task_types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE_SECONDS = 10.0
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Function:
    """A task type whose attempts are calls of functions, by task key; without one: SUCCESS."""

    def __init__(self, functions: Mapping[str, Callable[[TaskContext], Outcome]]) -> None:
        self._functions = functions

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Call the function of the task."""
        assert task is context.task
        function = self._functions.get(context.task_key)
        return Outcome("SUCCESS") if function is None else function(context)


class Bench:
    """A site with a clock that moves by hand, and everything that was listened to."""

    def __init__(self, folder: Path, slots: int = 4) -> None:
        self.now_ms = 1_000
        self.ahead_ms = 0
        self.functions: dict[str, Callable[[TaskContext], Outcome]] = {}
        self.calls: list[JobCall] = []
        self.told: list[dict[str, Any]] = []
        self.heard: Callable[[dict[str, Any]], None] = lambda _: None
        self._ids = itertools.count(101)
        self.site = Site(
            runs=folder / "runs",
            environment=lambda task: {"TASK": task["task_key"]},
            python=lambda _: Path(sys.executable),
            resolve=lambda path: folder / path,
            run_job=self._run_job,
            now_ms=lambda: self.now_ms + self.ahead_ms,
            steady_ms=lambda: self.now_ms,
            pool=Pool(slots),
            types={**task_types(), "function": Function(self.functions)},
        )

    def _hear(self, snapshot: dict[str, Any]) -> None:
        self.told.append(snapshot)
        self.heard(snapshot)

    def _run_job(self, call: JobCall) -> ChildRun:
        self.calls.append(call)
        call.cancelled.wait(PATIENCE_SECONDS if call.job_id == 0 else 0)
        result = "CANCELED" if call.cancelled.is_set() else "SUCCESS"
        return ChildRun(run_id=55, result_state=result)

    def begin(self, *tasks: dict[str, Any], **settings: Any) -> Execution:
        request = RunRequest(job_id=7, run_id=100, created_ms=self.now_ms)
        run = JobRun({"tasks": list(tasks), **settings}, request, lambda: next(self._ids))
        execution = Execution(run, self.site, self._hear)
        execution.start()
        return execution

    def play(self, *tasks: dict[str, Any], **settings: Any) -> dict[str, Any]:
        assert self.begin(*tasks, **settings).wait(PATIENCE_SECONDS)
        return self.told[-1]

    def outcome(self, item: dict[str, Any]) -> dict[str, Any]:
        path = self.site.runs / "100" / str(item["run_id"]) / "outcome.json"
        outcome: dict[str, Any] = json.loads(path.read_text())
        return outcome


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench with a folder of its own."""
    return Bench(tmp_path)


def task(key: str, *parents: str, **more: Any) -> dict[str, Any]:
    """Return a task that waits for `parents`."""
    kind: dict[str, Any] = (
        {} if any(name.endswith("_task") for name in more) else {"function_task": {}}
    )
    return {"task_key": key, "depends_on": [{"task_key": each} for each in parents], **kind, **more}


def results(snapshot: dict[str, Any]) -> list[str]:
    """Return the result of every task of a final snapshot."""
    return [item["state"]["result_state"] for item in snapshot["tasks"]]


def stubborn(started: threading.Event) -> Callable[[TaskContext], Outcome]:
    """Return a task that says that it has started, and ends when it is told to."""

    def function(context: TaskContext) -> Outcome:
        started.set()
        assert context.cancelled.wait(PATIENCE_SECONDS)
        return Outcome("SUCCESS")

    return function


def noted(keys: list[str]) -> Callable[[TaskContext], Outcome]:
    """Return a task that adds its key to `keys`."""

    def function(context: TaskContext) -> Outcome:
        keys.append(context.task_key)
        return Outcome("SUCCESS")

    return function


def test_a_task_has_the_variables_that_it_names_and_one_that_names_none_of_its_job_fails(
    bench: Bench,
) -> None:
    seen: dict[str, Mapping[str, str]] = {}

    def note(context: TaskContext) -> Outcome:
        seen[context.task_key] = context.environment
        return Outcome("SUCCESS")

    bench.functions.update(a=note, b=note)
    entry = {"environment_variables_key": "common", "spec": {"variables": {"STAGE": "test"}}}
    more = {"environment_variables": [entry], "environment_variables_key": "common"}
    final = bench.play(task("a", **more), task("b", **{**more, "environment_variables_key": "no"}))
    assert results(final) == ["SUCCESS", "FAILED"]
    assert seen == {"a": {"TASK": "a", "STAGE": "test"}}
    assert "names no environment variables of its job: 'no'" in str(
        bench.outcome(final["tasks"][1])
    )


def test_a_run_is_carried_out_and_every_change_is_told(bench: Bench) -> None:
    final = bench.play(task("a"), task("b", "a"))
    assert results(final) == ["SUCCESS", "SUCCESS"]
    assert final["state"]["life_cycle_state"] == "TERMINATED"
    assert final["state"]["result_state"] == "SUCCESS"
    words = [told["tasks"][1]["state"]["life_cycle_state"] for told in bench.told]
    assert words == sorted(words, key=["BLOCKED", "PENDING", "RUNNING", "TERMINATED"].index)


def test_a_task_is_handed_what_it_may_know(bench: Bench) -> None:
    seen: list[TaskContext] = []

    def look(context: TaskContext) -> Outcome:
        seen.append(context)
        assert context.directory.is_dir()
        return Outcome("SUCCESS", values={"rows": 3})

    bench.functions.update(a=look, b=look)
    text = "{{tasks.a.values.rows}} of {{job.parameters.p}}"
    parameters = [{"name": "p", "default": "x"}]
    bench.play(task("a"), task("b", "a", function_task={"text": text}), parameters=parameters)
    context = seen[1]
    assert context.task["function_task"] == {"text": "3 of x"}
    assert (context.job_id, context.run_id, context.task_run_id) == (7, 100, 102)
    assert (context.task_key, context.attempt) == ("b", 0)
    assert context.task_values == {"a": {"rows": 3}}
    assert context.job_parameters == {"p": "x"}
    assert context.environment == {"TASK": "b"}
    assert context.directory == bench.site.runs / "100" / "102"
    assert context.resolve("x") == bench.site.resolve("x")


def test_the_token_is_not_in_the_text_of_a_context(bench: Bench) -> None:
    texts: list[str] = []

    def look(context: TaskContext) -> Outcome:
        secret = dataclasses.replace(context, environment={"DATABRICKS_TOKEN": "s3cret"})
        texts.append(repr(secret))
        return Outcome("SUCCESS")

    bench.functions["a"] = look
    bench.play(task("a"))
    assert len(texts) == 1
    assert "s3cret" not in texts[0]


def test_the_outcome_of_an_attempt_is_kept_in_its_folder(bench: Bench) -> None:
    bench.functions["a"] = lambda _: Outcome("SUCCESS", exit_value="done", exit_code=0)
    final = bench.play(task("a"))
    kept = bench.outcome(final["tasks"][0])
    assert (kept["result_state"], kept["exit_value"], kept["exit_code"]) == ("SUCCESS", "done", 0)
    assert [path.name for path in bench.site.runs.rglob("*") if path.is_file()] == ["outcome.json"]


def test_a_task_that_raises_fails_with_its_traceback(bench: Bench) -> None:
    def broken(_: TaskContext) -> Outcome:
        raise ZeroDivisionError("by zero")

    bench.functions["a"] = broken
    final = bench.play(task("a"))
    assert results(final) == ["FAILED"]
    kept = bench.outcome(final["tasks"][0])
    assert kept["error"] == "ZeroDivisionError: by zero"
    assert "Traceback" in kept["error_trace"]


def test_an_error_for_a_person_is_told_without_a_traceback(bench: Bench) -> None:
    def refused(_: TaskContext) -> Outcome:
        raise Refused("magic '%scala'", hint="use Python")

    bench.functions["a"] = refused
    kept = bench.outcome(bench.play(task("a"))["tasks"][0])
    assert kept["error"] == "magic '%scala' is not supported\nhint: use Python"
    assert kept["error_trace"] is None


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("SUCCESS", values={"a": {1, 2}}),
        Outcome("SUCCESS", values={"a": float("nan")}),
        Outcome("PERHAPS"),
    ],
)
def test_an_outcome_that_cannot_be_kept_is_a_failure(bench: Bench, outcome: Outcome) -> None:
    bench.functions["a"] = lambda _: outcome
    assert results(bench.play(task("a"))) == ["FAILED"]


def test_a_reference_that_leads_to_nothing_fails_the_task_before_it_starts(bench: Bench) -> None:
    started: list[str] = []
    bench.functions["a"] = noted(started)
    final = bench.play(task("a", function_task={"text": "{{job.moon}}"}), task("b"))
    assert results(final) == ["FAILED", "SUCCESS"]
    assert started == []
    assert "'{{job.moon}}' leads to nothing" in bench.outcome(final["tasks"][0])["error"]


def test_an_environment_that_cannot_be_built_fails_the_task(bench: Bench) -> None:
    def missing(_: Mapping[str, Any]) -> Path:
        raise NotFound("environment", "ml")

    bench.site = dataclasses.replace(bench.site, python=missing)
    kept = bench.outcome(bench.play(task("a"))["tasks"][0])
    assert kept["error"] == "no environment named 'ml'"


@pytest.mark.parametrize("slow", ["environment", "python"])
def test_a_task_that_waits_for_its_environment_can_be_canceled(bench: Bench, slow: str) -> None:
    asked, ready = threading.Event(), threading.Event()

    def build(_: Mapping[str, Any]) -> Any:
        asked.set()
        ready.wait(3 * PATIENCE_SECONDS)
        return {}

    begun: list[str] = []
    bench.functions["a"] = noted(begun)
    bench.site = dataclasses.replace(bench.site, **{slow: build})  # type: ignore[arg-type]  # either
    execution = bench.begin(task("a"))
    assert asked.wait(PATIENCE_SECONDS)
    execution.cancel()
    try:
        assert execution.wait(PATIENCE_SECONDS)
    finally:
        ready.set()
    assert results(bench.told[-1]) == ["CANCELED"]
    assert begun == []


def test_a_task_can_be_out_of_time_before_its_environment_is_there(bench: Bench) -> None:
    asked, ready = threading.Event(), threading.Event()

    def build(_: Mapping[str, Any]) -> dict[str, str]:
        asked.set()
        ready.wait(3 * PATIENCE_SECONDS)
        return {}

    bench.site = dataclasses.replace(bench.site, environment=build)
    execution = bench.begin(task("a", timeout_seconds=60))
    assert asked.wait(PATIENCE_SECONDS)
    bench.now_ms += 60_000
    execution.wake()
    try:
        assert execution.wait(PATIENCE_SECONDS)
    finally:
        ready.set()
    assert results(bench.told[-1]) == ["TIMEDOUT"]


def test_tasks_that_start_no_process_do_not_ask_for_an_environment(bench: Bench) -> None:
    asked: list[str] = []

    def build(task: Mapping[str, Any]) -> dict[str, str]:
        asked.append(task["task_key"])
        return {}

    bench.site = dataclasses.replace(bench.site, environment=build)
    condition = {"op": "EQUAL_TO", "left": "1", "right": "1"}
    final = bench.play(
        task("if", condition_task=condition), task("call", run_job_task={"job_id": 1}), task("a")
    )
    assert results(final) == ["SUCCESS"] * 3
    assert asked == ["a"]


def test_a_failed_attempt_is_tried_again(bench: Bench) -> None:
    def third_time_lucky(context: TaskContext) -> Outcome:
        return Outcome("SUCCESS" if context.attempt == 2 else "FAILED")

    bench.functions["a"] = third_time_lucky
    final = bench.play(task("a", max_retries=2))
    assert results(final) == ["FAILED", "FAILED", "SUCCESS"]
    assert len({item["run_id"] for item in final["tasks"]}) == 3


def test_the_wait_for_a_retry_ends_when_the_clock_is_moved(bench: Bench) -> None:
    failed = threading.Event()

    def second_time_lucky(context: TaskContext) -> Outcome:
        failed.set()
        return Outcome("SUCCESS" if context.attempt else "FAILED")

    bench.functions["a"] = second_time_lucky
    execution = bench.begin(task("a", max_retries=1, min_retry_interval_millis=86_400_000))
    assert failed.wait(PATIENCE_SECONDS)
    bench.now_ms += 86_400_000
    execution.wake()
    assert execution.wait(PATIENCE_SECONDS)
    assert results(bench.told[-1]) == ["FAILED", "SUCCESS"]


def test_a_task_out_of_time_is_told_to_stop(bench: Bench) -> None:
    started = threading.Event()
    bench.functions["a"] = stubborn(started)
    execution = bench.begin(task("a", timeout_seconds=60))
    assert started.wait(PATIENCE_SECONDS)
    bench.now_ms += 60_000
    execution.wake()
    assert execution.wait(PATIENCE_SECONDS)
    assert results(bench.told[-1]) == ["TIMEDOUT"]


def test_a_canceled_run_tells_its_tasks_to_stop(bench: Bench) -> None:
    started = threading.Event()
    bench.functions["a"] = stubborn(started)
    execution = bench.begin(task("a"), task("b", "a"))
    assert started.wait(PATIENCE_SECONDS)
    assert not execution.wait(0)
    execution.cancel()
    assert execution.wait(PATIENCE_SECONDS)
    assert results(bench.told[-1]) == ["CANCELED", "UPSTREAM_CANCELED"]
    assert bench.told[-1]["state"]["result_state"] == "CANCELED"


def test_one_attempt_can_be_canceled(bench: Bench) -> None:
    started = threading.Event()
    bench.functions["a"] = stubborn(started)
    execution = bench.begin(task("a"), task("b", "a", run_if="ALL_DONE"))
    assert started.wait(PATIENCE_SECONDS)
    execution.cancel(101)
    assert execution.wait(PATIENCE_SECONDS)
    assert results(bench.told[-1]) == ["CANCELED", "SUCCESS"]


def test_an_attempt_of_another_run_cannot_be_canceled(bench: Bench) -> None:
    execution = bench.begin(task("a"))
    with pytest.raises(NotFound, match="no task run named '999'"):
        execution.cancel(999)
    assert execution.wait(PATIENCE_SECONDS)


def test_a_task_that_waits_for_a_slot_is_canceled_without_starting(tmp_path: Path) -> None:
    bench = Bench(tmp_path, slots=1)
    started = threading.Event()
    bench.functions["a"] = stubborn(started)
    begun: list[str] = []
    bench.functions["b"] = noted(begun)
    execution = bench.begin(task("a"), task("b"))
    assert started.wait(PATIENCE_SECONDS)
    execution.cancel()
    assert execution.wait(PATIENCE_SECONDS)
    assert results(bench.told[-1]) == ["CANCELED", "CANCELED"]
    assert begun == []


def test_no_more_tasks_run_at_once_than_there_are_slots(tmp_path: Path) -> None:
    bench = Bench(tmp_path, slots=2)
    running: set[str] = set()
    most: list[int] = []
    pair = threading.Barrier(2)

    def count(context: TaskContext) -> Outcome:
        running.add(context.task_key)
        pair.wait(PATIENCE_SECONDS)
        most.append(len(running))
        pair.wait(PATIENCE_SECONDS)
        running.discard(context.task_key)
        return Outcome("SUCCESS")

    keys = [f"t{number}" for number in range(6)]
    bench.functions.update(dict.fromkeys(keys, count))
    assert results(bench.play(*map(task, keys))) == ["SUCCESS"] * 6
    assert max(most) == 2


@pytest.mark.parametrize("is_engine_gone", [True, False])
def test_the_end_of_the_engine_while_a_task_ran_is_the_message_of_task_and_run(
    bench: Bench, is_engine_gone: bool
) -> None:
    engines = [1]
    lost = "pyspark.errors.exceptions.connect.SparkConnectGrpcException: no session"

    def function(_: TaskContext) -> Outcome:
        if is_engine_gone:
            engines.append(2)
        return Outcome("FAILED", error=lost)

    bench.functions["a"] = function
    bench.site = dataclasses.replace(bench.site, engine=lambda: engines[-1])
    final = bench.play(task("a"))
    (item,) = final["tasks"]
    message = item["state"]["state_message"]
    assert message.startswith("the engine ended while the task ran") == is_engine_gone
    assert f"Task a failed with message: {message}." == final["state"]["state_message"]
    assert (bench.outcome(item)["error"] == lost) == (not is_engine_gone)


def test_a_condition_decides_which_branch_runs(bench: Bench) -> None:
    bench.functions["a"] = lambda _: Outcome("SUCCESS", values={"rows": 12})
    condition = {"op": "GREATER_THAN", "left": "{{tasks.a.values.rows}}", "right": "9"}
    yes = {**task("yes"), "depends_on": [{"task_key": "if", "outcome": "true"}]}
    no = {**task("no"), "depends_on": [{"task_key": "if", "outcome": "false"}]}
    final = bench.play(task("a"), task("if", "a", condition_task=condition), yes, no)
    assert results(final) == ["SUCCESS", "SUCCESS", "SUCCESS", "EXCLUDED"]
    assert final["tasks"][1]["condition_task"]["outcome"] == "true"


def test_a_job_that_waits_for_another_takes_no_slot(tmp_path: Path) -> None:
    bench = Bench(tmp_path, slots=1)
    execution = bench.begin(
        task("call", run_job_task={"job_id": 0, "job_parameters": {"a": "1"}}), task("b")
    )
    while not (bench.told and bench.told[-1]["tasks"][1]["state"].get("result_state")):
        assert not execution.wait(0.001)
    execution.cancel()
    assert execution.wait(PATIENCE_SECONDS)
    assert results(bench.told[-1]) == ["CANCELED", "SUCCESS"]
    (call,) = bench.calls
    assert (call.job_id, call.parameters, call.task_run_id) == (0, {"a": "1"}, 101)


def test_an_unknown_type_of_task_is_refused_by_name_before_anything_starts(bench: Bench) -> None:
    with pytest.raises(Refused, match="task type 'pipeline' of task 'b'"):
        bench.begin(task("a"), task("b", pipeline_task={}), task("c", dashboard_task={}))
    assert bench.told == []
    assert not bench.site.runs.exists()


def test_a_listener_that_fails_stops_the_tasks_and_is_heard(bench: Bench) -> None:
    started = threading.Event()
    bench.functions["a"] = stubborn(started)

    def listen(snapshot: dict[str, Any]) -> None:
        if snapshot["tasks"][0]["state"]["life_cycle_state"] == "RUNNING":
            assert started.wait(PATIENCE_SECONDS)
            raise OSError(28, "No space left on device")

    request = RunRequest(job_id=7, run_id=100, created_ms=1_000)
    run = JobRun({"tasks": [task("a")]}, request, itertools.count(101).__next__)
    handed: list[BaseException] = []
    execution = Execution(run, bench.site, listen, on_failure=handed.append)
    execution.start()
    with pytest.raises(OSError, match="No space left") as raised:
        execution.wait(PATIENCE_SECONDS)
    assert handed == [raised.value]


def test_the_threads_end_with_the_run(bench: Bench) -> None:
    before = set(threading.enumerate())
    bench.play(*(task(f"t{number}") for number in range(20)))
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_every_task_type_is_found_by_the_name_of_its_file() -> None:
    assert {"condition", "run_job"} <= set(task_types())


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -HOUR_MS, HOUR_MS, DAY_MS])
def test_a_time_of_day_that_jumps_neither_times_a_run_out_nor_changes_how_long_it_took(
    bench: Bench, jump_ms: int
) -> None:
    running = threading.Event()

    def function(_: TaskContext) -> Outcome:
        assert running.wait(PATIENCE_SECONDS)
        bench.ahead_ms = jump_ms
        bench.now_ms += 500
        return Outcome("SUCCESS")

    def heard(snapshot: dict[str, Any]) -> None:
        if snapshot["tasks"][0]["state"]["life_cycle_state"] == "RUNNING":
            running.set()

    bench.functions["a"] = function
    bench.heard = heard
    limited = task("a", timeout_seconds=1)
    run = bench.play(limited, task("b", "a"), timeout_seconds=1)
    first, second = run["tasks"]
    assert results(run) == ["SUCCESS", "SUCCESS"]
    assert (first["execution_duration"], second["execution_duration"]) == (500, 0)
    assert run["run_duration"] == 500
    assert second["start_time"] == 1_500 + jump_ms
    assert run["end_time"] == first["end_time"] == 1_500 + max(jump_ms, 0)


@pytest.mark.parametrize("jump_ms", [-DAY_MS, DAY_MS])
def test_a_timeout_comes_in_its_time_whatever_the_time_of_day_is(
    bench: Bench, jump_ms: int
) -> None:
    def function(context: TaskContext) -> Outcome:
        bench.ahead_ms = jump_ms
        bench.now_ms += 1_000
        assert context.cancelled.wait(PATIENCE_SECONDS)
        return Outcome("CANCELED")

    bench.functions["a"] = function
    run = bench.play(task("a", timeout_seconds=1))
    assert results(run) == ["TIMEDOUT"]
    assert run["tasks"][0]["execution_duration"] == 1_000


@pytest.mark.parametrize("jump_ms", [-DAY_MS, DAY_MS])
def test_a_retry_waits_as_long_as_it_says_whatever_the_time_of_day_is(
    bench: Bench, jump_ms: int
) -> None:
    started: list[int] = []

    def function(_: TaskContext) -> Outcome:
        started.append(bench.now_ms)
        bench.ahead_ms = jump_ms
        return Outcome("FAILED" if len(started) == 1 else "SUCCESS")

    def heard(snapshot: dict[str, Any]) -> None:
        if snapshot["tasks"][-1]["state"]["life_cycle_state"] == "WAITING_FOR_RETRY":
            bench.now_ms = 61_000

    bench.functions["a"] = function
    bench.heard = heard
    run = bench.play(task("a", max_retries=1, min_retry_interval_millis=60_000))
    assert results(run) == ["FAILED", "SUCCESS"]
    assert started == [1_000, 61_000]

"""for_each tasks carried out; the nested tasks are functions, the threads are real."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from laketop.errors import ConfigError, Refused
from laketop.runner import iterations
from laketop.runner.context import ChildRun, Outcome, TaskContext
from laketop.runner.execute import Execution, JobCall, Site
from laketop.runner.iterations import concurrency_of, inputs_of
from laketop.runner.pool import Pool
from laketop.runner.run import JobRun, RunRequest, settle
from laketop.runner.tasks import refuse_unknown, task_types

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 10.0


class Function:
    """A task type that notes its settings and answers what a function does."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.answer: Callable[[TaskContext], Outcome] = lambda _: Outcome("SUCCESS")

    def run(self, task: Any, context: TaskContext) -> Outcome:
        """Note the task, and answer."""
        self.seen.append({**task["function_task"], "key": context.task_key})
        return self.answer(context)


class Bench:
    """A site, one function for all nested tasks, and the last snapshot."""

    def __init__(self, folder: Path) -> None:
        self.function = Function()
        self.told: list[dict[str, Any]] = []
        self.ids = itertools.count(101)

        def no_job(_: JobCall) -> ChildRun:
            raise AssertionError("no job is run here")

        self.site = Site(
            runs=folder / "runs",
            environment=lambda _: {},
            python=lambda _: Path(sys.executable),
            resolve=lambda path: folder / path,
            run_job=no_job,
            now_ms=lambda: 1_000,
            pool=Pool(8),
            types={**task_types(), "function": self.function},
        )

    def begin(self, inputs: Any, nested: dict[str, Any] | None = None, **more: Any) -> Execution:
        task = {
            "task_key": "each",
            "for_each_task": {
                "inputs": inputs if isinstance(inputs, str) else json.dumps(inputs),
                "task": {
                    "task_key": "one",
                    "function_task": {"say": "{{input}}"},
                    **(nested or {}),
                },
                **more.pop("each", {}),
            },
            **more.pop("task", {}),
        }
        request = RunRequest(job_id=7, run_id=100, created_ms=1_000)
        settings = {"tasks": [*more.pop("before", []), task], **more}
        run = JobRun(settings, request, lambda: next(self.ids))
        execution = Execution(run, self.site, self.told.append)
        execution.start()
        return execution

    def play(self, inputs: Any, nested: dict[str, Any] | None = None, **more: Any) -> Any:
        assert self.begin(inputs, nested, **more).wait(PATIENCE_SECONDS)
        return self.last()

    def last(self) -> dict[str, Any]:
        return self.told[-1]["tasks"][-1]  # type: ignore[no-any-return]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench with a folder of its own."""
    return Bench(tmp_path)


def stats(task: dict[str, Any]) -> dict[str, int]:
    """Return the counts of a for_each task."""
    return dict(task["for_each_task"]["stats"]["task_run_stats"])


def test_the_nested_task_runs_once_for_each_input(bench: Bench) -> None:
    task = bench.play([1, "two", None, True])
    assert task["state"]["result_state"] == "SUCCESS"
    assert [seen["say"] for seen in bench.function.seen] == ["1", "two", "null", "true"]
    assert {seen["key"] for seen in bench.function.seen} == {"one"}
    assert stats(task) == {
        "total_iterations": 4,
        "scheduled_iterations": 4,
        "active_iterations": 0,
        "completed_iterations": 4,
        "failed_iterations": 0,
        "succeeded_iterations": 4,
    }


def test_iterations_carry_the_key_of_the_nested_task_and_run_ids_of_their_own(bench: Bench) -> None:
    assert iterations.ITERATIONS_HAVE_THE_KEY_OF_THE_NESTED_TASK
    task = bench.play([1, 2])
    assert [one["task_key"] for one in task["iterations"]] == ["one", "one"]
    ids = {task["run_id"], *(one["run_id"] for one in task["iterations"])}
    assert len(ids) == 3
    kept = {folder.name for folder in (bench.site.runs / "100").iterdir()}
    assert kept == {str(one) for one in ids}


def test_keys_of_an_input_are_referred_to_by_name(bench: Bench) -> None:
    nested = {"function_task": {"a": "{{input.a}}", "deep": "{{input.b.c}}", "all": "{{input}}"}}
    bench.play([{"a": "x", "b": {"c": 3}}], nested)
    (seen,) = bench.function.seen
    assert (seen["a"], seen["deep"]) == ("x", "3")
    assert json.loads(seen["all"]) == {"a": "x", "b": {"c": 3}}


def test_nested_tasks_know_the_job_its_parameters_and_what_is_upstream(bench: Bench) -> None:
    bench.function.answer = lambda context: Outcome(
        "SUCCESS", values={"list": ["p", "q"]} if context.task_key == "before" else {}
    )
    nested = {
        "function_task": {
            "say": "{{job.run_id}} {{job.parameters.who}} {{task.name}} {{tasks.before.run_id}}"
        }
    }
    before = {"task_key": "before", "function_task": {}}
    bench.play(
        "{{tasks.before.values.list}}",
        nested,
        before=[before],
        task={"depends_on": [{"task_key": "before"}]},
        parameters=[{"name": "who", "default": "me"}],
    )
    assert [seen.get("say") for seen in bench.function.seen[1:]] == ["100 me one 101"] * 2


def test_inputs_may_be_a_job_parameter(bench: Bench) -> None:
    bench.play("{{job.parameters.all}}", parameters=[{"name": "all", "default": "[5, 6]"}])
    assert [seen["say"] for seen in bench.function.seen] == ["5", "6"]


def test_no_inputs_are_a_success(bench: Bench) -> None:
    assert bench.play([])["state"]["result_state"] == "SUCCESS"
    assert bench.function.seen == []


def test_one_at_a_time_unless_told_otherwise(bench: Bench) -> None:
    most = at_once(bench)
    bench.play(list(range(6)))
    assert most() == 1


def test_as_many_at_once_as_the_concurrency_says(bench: Bench) -> None:
    meet = threading.Barrier(3)

    def answer(_: TaskContext) -> Outcome:
        meet.wait(PATIENCE_SECONDS)
        return Outcome("SUCCESS")

    bench.function.answer = answer
    most = at_once(bench)
    assert bench.play(list(range(6)), each={"concurrency": 3})["state"]["result_state"] == "SUCCESS"
    assert most() == 3


def at_once(bench: Bench) -> Callable[[], int]:
    """Count, around the answers of the bench, how many there were at once at most."""
    inner, lock, counts = bench.function.answer, threading.Lock(), [0, 0]

    def answer(context: TaskContext) -> Outcome:
        with lock:
            counts[0] += 1
            counts[1] = max(counts)
        try:
            return inner(context)
        finally:
            with lock:
                counts[0] -= 1

    bench.function.answer = answer
    return lambda: counts[1]


def test_a_failed_iteration_fails_the_task_and_the_others_still_finish(bench: Bench) -> None:
    def answer(context: TaskContext) -> Outcome:
        if context.task["function_task"]["say"] in {"1", "3"}:
            return Outcome("FAILED", error="odd one")
        return Outcome("SUCCESS")

    bench.function.answer = answer
    task = bench.play([0, 1, 2, 3])
    assert task["state"]["result_state"] == "FAILED"
    assert len(bench.function.seen) == 4
    counts = stats(task)
    assert (counts["failed_iterations"], counts["succeeded_iterations"]) == (2, 2)
    assert task["for_each_task"]["stats"]["error_message_stats"] == [
        {"error_message": "odd one", "count": 2}
    ]


def test_the_three_commonest_errors_are_told(bench: Bench) -> None:
    bench.function.answer = lambda context: Outcome(
        "FAILED", error=context.task["function_task"]["say"]
    )
    task = bench.play([*"abcd", *"abc", *"ab"])
    told = task["for_each_task"]["stats"]["error_message_stats"]
    assert [one["error_message"] for one in told] == ["a", "b", "c"]
    assert [one["count"] for one in told] == [3, 3, 2]


def test_iterations_are_retried_as_the_nested_task_says(bench: Bench) -> None:
    bench.function.answer = lambda context: Outcome("SUCCESS" if context.attempt else "FAILED")
    task = bench.play([1, 2], {"max_retries": 1})
    assert task["state"]["result_state"] == "SUCCESS"
    assert [one["attempt_number"] for one in task["iterations"]] == [0, 1, 0, 1]
    assert stats(task)["succeeded_iterations"] == 2


def test_a_canceled_run_ends_its_iterations(bench: Bench) -> None:
    started = threading.Event()

    def answer(context: TaskContext) -> Outcome:
        started.set()
        assert context.cancelled.wait(PATIENCE_SECONDS)
        return Outcome("CANCELED")

    bench.function.answer = answer
    execution = bench.begin([1, 2, 3])
    assert started.wait(PATIENCE_SECONDS)
    execution.cancel()
    assert execution.wait(PATIENCE_SECONDS)
    task = bench.last()
    assert task["state"]["result_state"] == "CANCELED"
    assert {one["state"]["result_state"] for one in task["iterations"]} == {"CANCELED"}
    assert len(bench.function.seen) == 1


def test_one_iteration_can_be_canceled(bench: Bench) -> None:
    started = threading.Event()

    def answer(context: TaskContext) -> Outcome:
        if context.task["function_task"]["say"] == "1":
            started.set()
            assert context.cancelled.wait(PATIENCE_SECONDS)
            return Outcome("CANCELED")
        return Outcome("SUCCESS")

    bench.function.answer = answer
    execution = bench.begin([1, 2])
    assert started.wait(PATIENCE_SECONDS)
    wait_for(lambda: bool(bench.told) and "iterations" in bench.last())
    execution.cancel(bench.last()["iterations"][0]["run_id"])
    assert execution.wait(PATIENCE_SECONDS)
    words = [one["state"]["result_state"] for one in bench.last()["iterations"]]
    assert words == ["CANCELED", "SUCCESS"]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, asking it every few milliseconds."""
    asked = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        asked.wait(0.005)
    raise AssertionError("it never came true")


@pytest.mark.parametrize("text", ["", "1", '{"a": 1}', "[1", "a, b"])
def test_inputs_that_are_no_array_fail_the_task_by_name(bench: Bench, text: str) -> None:
    task = bench.play(text)
    assert task["state"]["result_state"] == "FAILED"
    outcome = json.loads(
        (bench.site.runs / "100" / str(task["run_id"]) / "outcome.json").read_text()
    )
    assert f"{text!r}" in outcome["error"]
    with pytest.raises(ConfigError, match="no JSON array"):
        inputs_of({"inputs": text})


@pytest.mark.parametrize("number", [0, 101, -1, "3"])
def test_a_concurrency_out_of_range_is_refused(number: Any) -> None:
    with pytest.raises(ConfigError, match="concurrency"):
        concurrency_of({"concurrency": number})


def test_the_concurrency_is_one_by_default_and_a_hundred_at_most() -> None:
    assert concurrency_of({}) == iterations.CONCURRENCY_DEFAULT == 1
    assert concurrency_of({"concurrency": 100}) == iterations.MOST_CONCURRENCY


def test_a_for_each_task_in_a_for_each_task_is_refused() -> None:
    inner = {"task_key": "b", "for_each_task": {"inputs": "[]", "task": {}}}
    outer = {"task_key": "a", "for_each_task": {"inputs": "[]", "task": inner}}
    with pytest.raises(ConfigError, match="repeats a for_each task"):
        refuse_unknown([outer])


def test_a_nested_task_of_an_unknown_type_is_refused_before_anything_runs() -> None:
    inner = {"task_key": "b", "pipeline_task": {"pipeline_id": "x"}}
    outer = {"task_key": "a", "for_each_task": {"inputs": "[]", "task": inner}}
    with pytest.raises(Refused, match="'pipeline' of task 'b'"):
        refuse_unknown([outer])


def test_a_type_that_does_not_run_here_is_refused_with_a_way_out() -> None:
    with pytest.raises(Refused, match="task type 'pipeline' of task 'a'") as caught:
        refuse_unknown([{"task_key": "a", "pipeline_task": {}}])
    assert caught.value.hint is not None
    assert not caught.value.hint.startswith("the task types")


def test_a_for_each_task_without_a_nested_task_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no `task`"):
        refuse_unknown([{"task_key": "a", "for_each_task": {"inputs": "[]"}}])


def test_iterations_that_nobody_carries_out_any_more_are_settled(bench: Bench) -> None:
    bench.play([1])
    active = {"life_cycle_state": "RUNNING", "state_message": ""}
    task = bench.last()
    running = {**task, "state": active, "end_time": 0}
    running["iterations"] = [{**task["iterations"][0], "state": active, "end_time": 0}]
    settled = settle({**bench.told[-1], "state": active, "tasks": [running]}, now_ms=9_000)
    (one,) = settled["tasks"][0]["iterations"]
    assert one["state"]["life_cycle_state"] == "INTERNAL_ERROR"


def test_a_context_of_another_task_runs_no_iterations(bench: Bench) -> None:
    seen: list[TaskContext] = []

    def answer(context: TaskContext) -> Outcome:
        seen.append(context)
        return Outcome("SUCCESS")

    bench.function.answer = answer
    bench.play([1])
    with pytest.raises(ConfigError, match="no for_each task"):
        seen[0].run_each({}, [1], 1)
    bare = {field.name: field for field in dataclasses.fields(TaskContext)}["run_each"].default
    with pytest.raises(Refused):
        bare({}, [1], 1)  # type: ignore[operator]  # the default is a function

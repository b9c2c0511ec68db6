"""Runs that were cut off, at each of their states: what goes on ends as if nothing had been."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from laketop.runner.context import Outcome
from laketop.runner.run import JobRun, RunRequest, settle
from laketop.runner.states import both_spellings
from laketop.workspace.repairs import Ground
from laketop.workspace.resumed import goes_on, resumed
from laketop.workspace.run_records import RunRecord

ids = itertools.count(101)


def task(key: str, *parents: str, **more: Any) -> dict[str, Any]:
    depends_on = [{"task_key": parent} for parent in parents]
    kind = {} if "run_job_task" in more else {"notebook_task": {"notebook_path": f"/{key}"}}
    return {"task_key": key, "depends_on": depends_on, **kind, **more}


def ten_tasks() -> list[dict[str, Any]]:
    parents = {"b": "a", "c": "a", "d": "bc", "e": "d", "f": "d", "g": "", "h": "gf", "i": "h"}
    whole = {"a": "", **parents, "j": "i"}
    return [task(key, *above, max_retries=2) for key, above in whole.items()]


def run_of(*tasks: dict[str, Any], **request: Any) -> JobRun:
    given = {"job_id": 7, "run_id": 100, "created_ms": 1_000, **request}
    return JobRun({"name": "n", "tasks": list(tasks)}, RunRequest(**given), lambda: next(ids))


def played(run: JobRun, *, seed: int) -> Iterator[dict[str, Any]]:
    """Carry the run out in some order, and yield it as it stands after each step."""
    dice, now_ms = random.Random(seed), 1_000  # noqa: S311 - an order, no secret
    running: list[int] = []
    yield run.snapshot()
    while not run.is_final:
        now_ms += 1_000
        run.advance(now_ms)
        yield run.snapshot()
        startable = [one.run_id for one in run.startable() if one.run_id not in running]
        if startable and (not running or dice.random() < 0.5):
            running.append(dice.choice(startable))
            run.task_started(running[-1], now_ms)
        elif running:
            ended = running.pop(dice.randrange(len(running)))
            run.task_finished(ended, Outcome("SUCCESS", values={"id": ended}), now_ms)
        run.advance(now_ms)
        yield run.snapshot()


def record_of(snapshot: Mapping[str, Any], **more: Any) -> RunRecord:
    return RunRecord(100, 7, "me", snapshot["run_type"], more, snapshot)


def again(record: RunRecord) -> JobRun:
    settings = {"name": "n", "tasks": [task("changed")]}
    ground = Ground(
        record=record,
        settings=settings,
        outcome_of=lambda run_id: {"values": {"id": run_id}},
        workspace={},
    )
    return resumed(ground, new_id=lambda: next(ids), now_ms=90_000)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_of_ten_tasks_that_is_cut_off_at_any_state_ends_with_one_success_of_each(
    seed: int,
) -> None:
    states = list(played(run_of(*ten_tasks()), seed=seed))
    went_on = 0
    for cut in states:
        if not goes_on(record_of(cut)):
            assert not any(one["state"]["life_cycle_state"] == "RUNNING" for one in cut["tasks"])
            continue
        went_on += 1
        (*_, end) = played(again(record_of(cut)), seed=seed + 1)
        assert end["state"]["result_state"] == "SUCCESS"
        good = [one for one in end["tasks"] if one["state"]["result_state"] == "SUCCESS"]
        assert Counter(one["task_key"] for one in good) == dict.fromkeys("abcdefghij", 1)
        kept = {one["run_id"] for one in cut["tasks"] if one["state"].get("result_state")}
        assert kept <= {one["run_id"] for one in good}
        assert end["start_time"] == cut["start_time"]
    assert went_on > len(states) / 2


def cut_off(*tasks: dict[str, Any], started: str = "a", **request: Any) -> dict[str, Any]:
    run = run_of(*tasks, **request)
    run.advance(1_000)
    for attempt in run.startable():
        if attempt.key in started:
            run.task_started(attempt.run_id, 2_000)
    return run.snapshot()


def test_a_run_of_some_tasks_alone_goes_on_with_them_alone() -> None:
    tasks = [task("a"), task("b", "a", max_retries=1), task("c", "a", "b")]
    cut = cut_off(*tasks, only=("b+",), started="b")
    assert goes_on(record_of(cut))
    (*_, end) = played(again(record_of(cut)), seed=1)
    assert [(one["task_key"], one["state"]["result_state"]) for one in end["tasks"]] == [
        ("b", "FAILED"),
        ("b", "SUCCESS"),
        ("c", "SUCCESS"),
    ]
    assert end["state"]["result_state"] == "SUCCESS"


def loop(**nested: Any) -> dict[str, Any]:
    kind = nested or {"notebook_task": {"notebook_path": "/one"}}
    each = {"inputs": "[1, 2]", "task": {"task_key": "one", **kind}}
    return {"task_key": "each", "for_each_task": each, "max_retries": 1}


def test_a_loop_that_was_cut_off_begins_anew_and_shows_nothing_of_what_it_did_before() -> None:
    condition = {"op": "EQUAL_TO", "left": "1", "right": "1"}
    run = run_of(
        {"task_key": "if", "condition_task": condition},
        {**loop(), "depends_on": [{"task_key": "if", "outcome": "true"}]},
    )
    run.advance(1_000)
    for outcome in (Outcome("SUCCESS", condition=True), None):
        (attempt,) = run.startable()
        run.task_started(attempt.run_id, 2_000)
        if outcome is not None:
            run.task_finished(attempt.run_id, outcome, 3_000)
            run.advance(3_000)
    done = {"task_key": "one", **both_spellings("TERMINATED", "SUCCESS"), "start_time": 2_500}
    run.iterations_told(attempt.run_id, [{**done, "run_id": 1}], {"task_run_stats": {"total": 2}})
    cut = run.snapshot()
    assert cut["tasks"][1]["for_each_task"]["stats"]
    assert goes_on(record_of(cut))
    went_on = again(record_of(cut))
    _, first, second = went_on.snapshot()["tasks"]
    assert first["for_each_task"]["stats"]
    assert first["iterations"]
    assert second["state"]["life_cycle_state"] == "WAITING_FOR_RETRY"
    assert second["for_each_task"] == loop()["for_each_task"]
    assert "iterations" not in second
    (*_, end) = played(went_on, seed=1)
    assert end["state"]["result_state"] == "SUCCESS"
    assert end["tasks"][0]["condition_task"] == {**condition, "outcome": "true"}


def test_what_was_running_is_a_failed_attempt_and_its_retry_counts() -> None:
    first = cut_off(task("a", max_retries=2, min_retry_interval_millis=500_000))
    run = again(record_of(first))
    failed, waiting = run.snapshot()["tasks"]
    assert failed["run_id"] == first["tasks"][0]["run_id"]
    assert failed["state"]["life_cycle_state"] == "INTERNAL_ERROR"
    assert failed["state"]["state_message"] == "laketop stopped while the run was active"
    assert waiting["attempt_number"] == 1
    assert waiting["original_attempt_run_id"] == failed["run_id"]
    assert run.due_ms() == 502_000
    run.advance(502_000)
    (attempt,) = run.startable()
    run.task_started(attempt.run_id, 502_000)
    second = run.snapshot()
    assert goes_on(record_of(second))
    third = again(record_of(second))
    third.advance(2_000_000)
    (attempt,) = third.startable()
    third.task_started(attempt.run_id, 2_000_000)
    assert not goes_on(record_of(third.snapshot()))  # two retries were all that it had


def test_a_run_that_waits_for_a_retry_goes_on_and_waits_no_longer() -> None:
    run = run_of(task("a", max_retries=1, min_retry_interval_millis=500_000), task("b", "a"))
    run.advance(1_000)
    (attempt,) = run.startable()
    run.task_started(attempt.run_id, 2_000)
    run.task_finished(attempt.run_id, Outcome("FAILED", error="e"), 3_000)
    run.advance(3_000)
    cut = run.snapshot()
    assert [one["state"]["life_cycle_state"] for one in cut["tasks"]] == [
        "TERMINATED",
        "WAITING_FOR_RETRY",
        "BLOCKED",
    ]
    assert goes_on(record_of(cut))
    went_on = again(record_of(cut))
    assert went_on.due_ms() == 502_000
    (*_, end) = played(went_on, seed=1)
    told = [(one["task_key"], one["state"]["result_state"]) for one in end["tasks"]]
    assert told == [("a", "FAILED"), ("a", "SUCCESS"), ("b", "SUCCESS")]


def test_only_what_is_to_be_retried_goes_on() -> None:
    retried = task("a", max_retries=1)
    assert goes_on(record_of(cut_off(retried, task("b", "a"))))
    assert goes_on(record_of(cut_off(task("a", max_retries=-1))))
    assert not goes_on(record_of(cut_off(task("a"))))
    assert not goes_on(record_of(cut_off(retried, task("b"), started="ab")))
    assert not goes_on(record_of(cut_off(retried, task("b"))))  # it may have begun already
    child = task("a", run_job_task={"job_id": 8}, max_retries=1)
    assert not goes_on(record_of(cut_off(child)))
    assert goes_on(record_of(cut_off(loop(), started="each")))
    assert not goes_on(record_of(cut_off(loop(run_job_task={"job_id": 8}), started="each")))


def test_runs_that_somebody_else_begins_anew_or_that_ended_do_not_go_on() -> None:
    retried = task("a", max_retries=1)
    snapshot = cut_off(retried)
    assert not goes_on(record_of(snapshot, chain=[6]))
    assert not goes_on(record_of(snapshot, history=[{}]))
    assert not goes_on(record_of(settle(snapshot, now_ms=3_000)))
    assert not goes_on(record_of(cut_off(retried, run_type="SUBMIT_RUN")))
    assert not goes_on(record_of(cut_off(retried, trigger="CONTINUOUS")))
    run = run_of(retried)
    run.advance(1_000)
    run.task_started(run.startable()[0].run_id, 2_000)
    run.cancel(3_000)
    assert not goes_on(record_of(run.snapshot()))

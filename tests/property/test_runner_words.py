"""Every word of a run's snapshot is one that databricks-sdk knows: it drops others silently."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import jobs
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.runner.context import Outcome
from laketop.runner.run import JobRun, RunRequest, settle
from laketop.runner.states import RUN_IF, both_spellings

if TYPE_CHECKING:
    import random

thorough = settings(max_examples=max(200, settings().max_examples), deadline=None)


def known(run: dict[str, Any]) -> list[str]:
    """Return the words of a snapshot, as the client reads them, in both spellings."""
    read = jobs.Run.from_dict(run)
    assert read.trigger is not None
    assert read.run_type is not None
    assert read.tasks is not None
    words: list[str] = []
    items: list[jobs.Run | jobs.RunTask] = [read, *read.tasks]
    for item, raw in zip(items, [run, *run["tasks"]], strict=True):
        assert item.as_dict()["state"] == raw["state"]
        assert item.as_dict()["status"] == raw["status"]
        words.append(raw["state"]["life_cycle_state"])
    assert all(task.run_if is not None for task in read.tasks)
    return words


@thorough
@given(
    st.lists(st.sampled_from(RUN_IF), min_size=1, max_size=6),
    st.lists(st.sampled_from(["SUCCESS", "FAILED", "TIMEDOUT", "CANCELED"]), min_size=9),
    st.randoms(use_true_random=False),
)
def test_the_client_knows_every_word_of_every_snapshot(
    rules: list[str], answers: list[str], chance: random.Random
) -> None:
    tasks = [
        {
            "task_key": f"t{number}",
            "run_if": rule,
            "depends_on": [{"task_key": f"t{parent}"} for parent in range(number)],
            "notebook_task": {"notebook_path": "/x"},
            "max_retries": 1,
            "min_retry_interval_millis": 10,
            "disabled": chance.random() < 0.1,
        }
        for number, rule in enumerate(rules)
    ]
    request = RunRequest(job_id=7, run_id=1, created_ms=1_000)
    run = JobRun({"name": "j", "tasks": tasks}, request, itertools.count(2).__next__)
    now_ms = 1_000
    left = itertools.cycle(answers)
    while not run.is_final:
        known(run.snapshot())
        known(settle(run.snapshot(), now_ms=now_ms))
        now_ms += 10
        run.advance(now_ms)
        for attempt in run.startable():
            run.task_started(attempt.run_id, now_ms)
            known(run.snapshot())
            if chance.random() < 0.1:
                run.cancel(now_ms)
                known(run.snapshot())
            run.task_finished(attempt.run_id, Outcome(next(left)), now_ms)
    known(run.snapshot())


@pytest.mark.parametrize("result", [each.value for each in jobs.RunResultState])
def test_every_result_that_the_client_knows_can_be_spelled(result: str) -> None:
    spelled = both_spellings("TERMINATED", result)
    assert jobs.RunState.from_dict(spelled["state"]).result_state is not None
    details = jobs.RunStatus.from_dict(spelled["status"]).termination_details
    assert details is not None
    assert details.code is not None
    assert details.type is not None


@pytest.mark.parametrize("word", [each.value for each in jobs.RunLifeCycleState])
def test_every_life_cycle_that_the_client_knows_can_be_spelled(word: str) -> None:
    spelled = both_spellings(word)
    assert jobs.RunState.from_dict(spelled["state"]).life_cycle_state is not None
    assert jobs.RunStatus.from_dict(spelled["status"]).state is not None


def test_a_queued_and_a_skipped_run_are_understood() -> None:
    tasks = [{"task_key": "a", "notebook_task": {}}]
    request = RunRequest(job_id=7, run_id=1, created_ms=1_000)
    run = JobRun({"tasks": tasks}, request, itertools.count(2).__next__)
    run.queue(1)
    assert known(run.snapshot())[0] == "QUEUED"
    run.skip(2_000)
    assert known(run.snapshot()) == ["SKIPPED"]

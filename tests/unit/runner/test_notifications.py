"""Who is told of what happens in a run; the clock is a number."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.runner.test_run import FAILED, Bench, task

from laketop.runner.context import Outcome
from laketop.runner.notifications import Event, recipients
from laketop.runner.run import JobRun

ALL = {
    name: ["me@here"]
    for name in ("on_start", "on_success", "on_failure", "on_duration_warning_threshold_exceeded")
}
TELL = {"email_notifications": ALL}


def told(bench: Bench, **job: Any) -> list[tuple[str | None, str]]:
    """Return the tasks, None for the run, and events of which somebody is told."""
    bench.run.advance(bench.now)
    events = bench.run.take_events()
    return [
        (None if event.task is None else event.task["task_key"], event.name)
        for event in events
        if recipients({**bench.run.settings, **job}, event)
    ]


def test_a_run_tells_of_its_start_and_of_its_success() -> None:
    bench = Bench(task("a"), **TELL)
    assert told(bench) == [(None, "on_start")]
    bench.play("a")
    assert told(bench) == [(None, "on_success")]
    assert told(bench) == []


def test_a_task_tells_its_own_recipients() -> None:
    bench = Bench(task("a", **TELL), task("b", "a", **TELL))
    bench.play("a", FAILED)
    assert told(bench) == [("a", "on_start"), ("a", "on_failure")]


@pytest.mark.parametrize("result", ["FAILED", "TIMEDOUT"])
def test_a_failure_is_told(result: str) -> None:
    bench = Bench(task("a"), **TELL)
    bench.play("a", Outcome(result))
    assert told(bench)[-1] == (None, "on_failure")


def test_success_with_failures_is_neither() -> None:
    bench = Bench(task("a"), task("b", "a", run_if="ALL_DONE"), **TELL)
    bench.play("a", FAILED)
    bench.play("b")
    assert told(bench) == [(None, "on_start")]


def test_canceled_and_skipped_runs_count_as_failures_unless_silenced() -> None:
    silent = {"no_alert_for_canceled_runs": True, "no_alert_for_skipped_runs": True}
    for act in (JobRun.cancel, JobRun.skip):
        bench = Bench(task("a"), **TELL)
        act(bench.run, 2_000)
        assert told(bench)[-1] == (None, "on_failure")
        bench = Bench(task("a"), **TELL)
        act(bench.run, 2_000)
        assert (None, "on_failure") not in told(bench, notification_settings=silent)


def test_every_attempt_is_told_unless_only_the_last_is_wanted() -> None:
    for rules, expected in (
        ({}, ["on_start", "on_failure", "on_start", "on_failure"]),
        ({"alert_on_last_attempt": True}, ["on_start", "on_failure"]),
    ):
        bench = Bench(task("a", max_retries=1, notification_settings=rules, **TELL))
        bench.play("a", FAILED)
        bench.play("a", FAILED)
        assert [name for key, name in told(bench) if key == "a"] == expected


def test_the_run_itself_tells_the_final_outcome_alone() -> None:
    bench = Bench(task("a", max_retries=1), **TELL)
    bench.play("a", FAILED)
    bench.play("a")
    assert told(bench) == [(None, "on_start"), (None, "on_success")]


def test_a_long_run_is_warned_of_once_and_goes_on() -> None:
    rule = {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}
    bench = Bench(task("a"), health={"rules": [rule]}, **TELL)
    bench.start("a")
    assert bench.run.due_ms() == 61_001
    bench.now = 61_000
    assert told(bench) == [(None, "on_start")]
    bench.now = 61_001
    assert told(bench) == [(None, "on_duration_warning_threshold_exceeded")]
    assert bench.run.due_ms() is None
    assert bench.at("a") == ("RUNNING", None)
    bench.finish("a")
    assert told(bench) == [(None, "on_success")]


def test_a_long_task_is_warned_of_too() -> None:
    rule = {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 5}
    bench = Bench(task("a", health={"rules": [rule]}, **TELL))
    bench.start("a")
    bench.now += 5_001
    assert told(bench)[-1] == ("a", "on_duration_warning_threshold_exceeded")


def test_webhooks_are_told_by_their_ids() -> None:
    job = {"webhook_notifications": {"on_failure": [{"id": "h1"}, {"id": "h2"}]}}
    assert recipients(job, Event(name="on_failure", at_ms=1, result="FAILED")).webhooks == (
        *("h1", "h2"),
    )
    assert not recipients(job, Event(name="on_success", at_ms=1, result="SUCCESS"))


def test_conditions_and_tasks_that_never_ran_tell_nothing() -> None:
    condition = {"left": "1", "op": "EQUAL_TO", "right": "1"}
    bench = Bench(task("c", condition_task=condition, **TELL), task("a", "c=false", **TELL))
    bench.play("c", Outcome("SUCCESS", condition=True))
    assert told(bench) == []

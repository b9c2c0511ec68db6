"""Triggers as functions: when each fires, given what was noticed and when."""

from __future__ import annotations

import json

import pytest

from laketop.bundle.cron import Cron
from laketop.workspace.triggers import (
    CONTINUOUS_GAP_MS,
    FIRST_BACK_OFF_MS,
    LONG_ENOUGH_MS,
    LONGEST_BACK_OFF_MS,
    Always,
    Ended,
    Every,
    Mark,
    OnArrival,
    OnModel,
    OnSchedule,
    OnUpdate,
    fired,
    latest_due_ms,
    word_of,
)

HOUR = 3_600_000
NEW = Mark(since_ms=0)


def hourly() -> OnSchedule:
    return OnSchedule(Cron.of("0 0 * * * ?", "UTC"))


def test_a_schedule_goes_on_from_when_it_fired_last() -> None:
    assert hourly().due_ms(NEW) == HOUR
    assert hourly().due_ms(fired(NEW, HOUR, 1)) == 2 * HOUR


def test_runs_of_a_schedule_are_ten_seconds_apart_at_least() -> None:
    each_second = OnSchedule(Cron.of("* * * * * ?", "UTC"))
    assert each_second.due_ms(NEW) == 1_000
    assert each_second.due_ms(fired(NEW, 1_000, 1)) == 11_000


def test_an_interval_counts_from_the_run_before() -> None:
    every = Every(5 * HOUR)
    assert every.due_ms(NEW) == 5 * HOUR
    assert every.due_ms(fired(NEW, 5 * HOUR, 1)) == 10 * HOUR


@pytest.mark.parametrize("trigger", [hourly(), Every(HOUR)])
def test_what_was_missed_makes_one_run_for_the_last_time(trigger: OnSchedule | Every) -> None:
    assert latest_due_ms(trigger, NEW, 1000 * HOUR + 5) == 1000 * HOUR
    assert latest_due_ms(trigger, NEW, HOUR - 1) is None


def test_files_that_are_there_first_do_not_count() -> None:
    arrival = OnArrival(url="/Volumes/a/b/c")
    mark = arrival.noticed(NEW, {"old": 0}, 5)
    assert arrival.due_ms(mark) is None
    mark = arrival.noticed(mark, {"old": 0, "new": 0}, 7)
    assert arrival.due_ms(mark) == 7
    assert arrival.due_ms(arrival.noticed(fired(mark, 7, 1), {"old": 0, "new": 0}, 9)) is None


def test_the_timers_of_the_record() -> None:
    # Minimum 120 s and wait 60 s: a change within 60 s runs at 120, another at 115 at 175.
    arrival = OnArrival(url="/Volumes/a/b/c", least_ms=120_000, wait_ms=60_000)
    mark = fired(arrival.noticed(NEW, {}, 0), 0, 1)
    mark = arrival.noticed(mark, {"a": 0}, 50_000)
    assert arrival.due_ms(mark) == 120_000
    assert arrival.due_ms(arrival.noticed(mark, {"a": 0, "b": 0}, 115_000)) == 175_000


def test_one_update_is_enough_for_any_and_all_wait_for_the_last() -> None:
    names = ("c.s.a", "c.s.b")
    start = {"c.s.a": 3, "c.s.b": -1}
    for trigger, after_one in (
        (OnUpdate(tables=names), 5),
        (OnUpdate(tables=names, is_all=True), None),
    ):
        mark = trigger.noticed(NEW, start, 1)
        assert trigger.due_ms(mark) is None
        mark = trigger.noticed(mark, {**start, "c.s.a": 4}, 5)
        assert trigger.due_ms(mark) == after_one
        mark = trigger.noticed(mark, {"c.s.a": 4, "c.s.b": 0}, 8)
        assert trigger.due_ms(mark) == 8


def test_a_continuous_job_has_one_run_and_backs_off_when_it_fails() -> None:
    always = Always()
    assert always.due_ms(NEW) == 0
    assert word_of(always, NEW) == "CONTINUOUS"
    mark = fired(NEW, 0, 7)
    assert always.due_ms(mark) is None
    waits = []
    for _ in range(12):
        mark = always.ended(mark, Ended(result="FAILED", start_ms=0, end_ms=0))
        waits.append(always.due_ms(mark))
    assert waits[:3] == [FIRST_BACK_OFF_MS, 2 * FIRST_BACK_OFF_MS, 4 * FIRST_BACK_OFF_MS]
    assert waits[-1] == LONGEST_BACK_OFF_MS
    assert word_of(always, mark) == "CONTINUOUS_RESTART"


@pytest.mark.parametrize("result", ["SUCCESS", "CANCELED"])
def test_what_did_not_fail_resets_the_wait(result: str) -> None:
    mark = Mark(since_ms=0, failures=5, run_id=7)
    mark = Always().ended(mark, Ended(result=result, start_ms=0, end_ms=100))
    assert (mark.failures, mark.next_ms) == (0, 100 + CONTINUOUS_GAP_MS)


def test_a_long_run_resets_the_count_of_failures() -> None:
    run = Ended(result="FAILED", start_ms=0, end_ms=LONG_ENOUGH_MS)
    assert Always().ended(Mark(since_ms=0, failures=9, run_id=7), run).failures == 1


def test_a_run_is_told_of_as_many_models_as_a_parameter_holds_and_the_rest_makes_another() -> None:
    trigger = OnModel(scope="", condition="MODEL_CREATED")
    mark = trigger.noticed(NEW, {}, 5)
    assert trigger.due_ms(mark) is None
    seen = [json.dumps({"full_name": f"c.s.{number:04}"}) for number in range(400)]
    mark = trigger.noticed(mark, dict.fromkeys(seen, 0), 7)
    first = trigger.batch(mark)
    assert 0 < len(json.dumps([json.loads(update) for update in first])) <= 10_000
    assert first == seen[: len(first)]
    assert trigger.due_ms(mark) == 7
    mark = fired(mark, 7, 1, told=first)
    assert trigger.batch(mark) == seen[len(first) : 2 * len(first)]
    mark = fired(mark, 7, 2, told=seen)
    assert trigger.due_ms(mark) is None

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from laketop.cli._graph import RunView, latest, seconds_of, word_of


def a_task(key: str, *parents: str, **more: Any) -> dict[str, Any]:
    return {"task_key": key, "depends_on": [{"task_key": p} for p in parents], **more}


def test_tasks_stand_after_those_they_depend_on() -> None:
    run = {"tasks": [a_task("c", "a", "b"), a_task("b", "a"), a_task("a")]}
    assert [task["task_key"] for task in latest(run)] == ["a", "b", "c"]


def test_the_latest_attempt_of_a_task_is_shown() -> None:
    run = {"tasks": [a_task("a", attempt_number=1), a_task("a", attempt_number=0)]}
    assert [task["attempt_number"] for task in latest(run)] == [1]


def test_the_result_says_more_than_the_life_cycle() -> None:
    assert word_of({"state": {"life_cycle_state": "RUNNING"}}) == "RUNNING"
    assert word_of({"state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}}) == (
        "FAILED"
    )
    assert word_of({}) == "PENDING"


def test_seconds_run_from_start_to_end() -> None:
    assert seconds_of({"start_time": 1_000, "end_time": 3_500}) == 2.5
    assert seconds_of({"start_time": 0}) == 0.0


def test_without_a_terminal_each_change_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    running = {"tasks": [a_task("a", state={"life_cycle_state": "RUNNING"}), a_task("b", "a")]}
    done = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}
    ended = {"tasks": [a_task("a", state=done, start_time=1_000, end_time=2_500)]}
    with RunView() as view:
        view.show(running)
        view.show(running)
        view.show(ended)
    assert capsys.readouterr().err.splitlines() == ["  a: RUNNING", "  a: SUCCESS (1.5 s)"]


def test_what_keeps_the_end_of_a_run_from_being_told_is_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = {"life_cycle_state": "RUNNING", "state_message": "no room"}
    with RunView() as view:
        for _ in range(2):
            view.show({"state": state, "tasks": []})
        view.show({"state": {**state, "result_state": "FAILED"}, "tasks": []})
    assert capsys.readouterr().err.splitlines() == ["the run goes on: no room"]


def test_on_a_terminal_the_graph_is_drawn_over_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, terminals = os.openpty()
    done = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}
    running = [a_task("a", state={"life_cycle_state": "RUNNING"}), a_task("b", "a")]
    ended = [a_task("a", state=done, start_time=1_000, end_time=2_500), a_task("b", "a")]
    with os.fdopen(ours, "rb", buffering=0) as screen, os.fdopen(terminals, "w") as terminal:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", terminal)
        first = b""
        with RunView() as view:
            view.show({"tasks": running})
            while b"running" not in first:
                first += screen.read(10_000)
            view.show({"tasks": ended})
        terminal.flush()
        second = screen.read(10_000)
    assert b"\x1b[1A" in second  # a line up: what stood there is drawn over
    assert b"success" in second.rpartition(b"\x1b[1A")[2]


def test_a_task_whose_parent_does_not_run_is_shown_too() -> None:
    run = {"tasks": [a_task("b", "a"), a_task("c", "b")]}
    assert [task["task_key"] for task in latest(run)] == ["b", "c"]


def test_a_queued_run_says_what_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    with RunView() as view:
        view.show({"state": {"life_cycle_state": "QUEUED"}})
        view.show({"state": {"life_cycle_state": "QUEUED"}})
    assert capsys.readouterr().err.count("queued") == 1

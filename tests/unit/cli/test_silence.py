"""A task that goes on and prints nothing more is not mistaken for one that hangs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laketop.cli._silence import SILENT_SECONDS, Silence


def task(key: str, run_id: int, state: str = "RUNNING", **more: Any) -> dict[str, Any]:
    return {"task_key": key, "run_id": run_id, "state": {"life_cycle_state": state}, **more}


class Workspace:
    """What tasks have printed, and the runs that they have started."""

    def __init__(self) -> None:
        self.printed: dict[int, bytes] = {}
        self.started: dict[int, Mapping[str, Any]] = {}
        self.silence = Silence(self.log, lambda task: self.started.get(task["run_id"]))
        self.looks = 0

    def log(self, task_run: int, offset: int) -> bytes:
        return self.printed.get(task_run, b"")[offset:]

    def told(self, *tasks: Mapping[str, Any]) -> list[str]:
        """Return what is told when so much time has passed that it may be."""
        self.looks += 1
        return list(self.silence.look({"tasks": list(tasks)}, self.looks * SILENT_SECONDS))


def test_the_last_line_of_a_silent_task_is_told_once() -> None:
    workspace = Workspace()
    promote = task("promote", 1)
    assert workspace.told(promote) == []  # it has printed nothing at all
    workspace.printed[1] = b"all gates passed\n  wait  approval: laketop approve m 1 --by NAME\n"
    assert workspace.told(promote) == []  # just now
    line = "wait  approval: laketop approve m 1 --by NAME"
    assert workspace.told(promote) == [f"  promote, still running, said last: {line}"]
    assert workspace.told(promote) == []
    workspace.printed[1] += b"approved\x1b[2J by ann\n"
    assert workspace.told(promote) == []
    (told,) = workspace.told(promote)
    assert told.startswith("  promote, still running, said last: approved")
    assert "\x1b" not in told


def test_nothing_is_told_of_tasks_that_have_ended_or_wait() -> None:
    workspace = Workspace()
    workspace.printed = {1: b"done\n", 2: b"?\n"}
    ended, waits = task("a", 1, "TERMINATED"), task("b", 2, "PENDING")
    assert [workspace.told(ended, waits) for _ in range(3)] == [[], [], []]


def test_the_tasks_of_a_run_that_a_task_has_started_are_heard() -> None:
    workspace = Workspace()
    workspace.started[7] = {"tasks": [task("promote", 8)]}
    workspace.printed[8] = b"waits\n"
    assert workspace.told(task("retrain", 7)) == []
    assert workspace.told(task("retrain", 7)) == [
        "  retrain > promote, still running, said last: waits"
    ]


def test_it_looks_no_more_often_than_its_patience() -> None:
    workspace = Workspace()
    workspace.printed[1] = b"waits\n"
    run = {"tasks": [task("promote", 1)]}
    moments = [0.0, 1.0, SILENT_SECONDS - 1, SILENT_SECONDS]
    assert [len(list(workspace.silence.look(run, now))) for now in moments] == [0, 0, 0, 1]

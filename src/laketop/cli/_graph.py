"""Draws a run: its tasks in order, their states and times, redrawn as they change."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from laketop.cli import _console

if TYPE_CHECKING:
    from rich.table import Table

_LOOKS = {
    "SUCCESS": ("✓", "green"),
    "FAILED": ("✗", "red"),
    "TIMEDOUT": ("✗", "red"),
    "CANCELED": ("✗", "yellow"),
    "UPSTREAM_FAILED": ("○", "red"),
    "UPSTREAM_CANCELED": ("○", "yellow"),
    "EXCLUDED": ("○", "bright_black"),
    "DISABLED": ("○", "bright_black"),
    "RUNNING": ("●", "cyan"),
    "TERMINATING": ("●", "yellow"),
}
_WAITING = ("·", "bright_black")


class RunView:
    """Shows a run while it goes on: a graph on a terminal, a line a change elsewhere."""

    def __init__(self) -> None:
        self._console = _console.talk()
        self._live: Any = None
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, run: Mapping[str, Any]) -> None:
        """Show the run as `runs/get` answers it."""
        if word_of(run) == "QUEUED" and not self._said.get("queued"):
            self._said["queued"] = "said"
            _console.say("the run is queued: it waits for a run of this job to end")
        state = run.get("state", {})
        message = "" if "result_state" in state else str(state.get("state_message") or "")
        if message and word_of(run) != "QUEUED" and self._said.get("message") != message:
            self._said["message"] = message
            _console.say(f"the run goes on: {message}")
        tasks = latest(run)
        if self._live is not None:
            self._live.update(_drawn(tasks), refresh=True)
            return
        for task in tasks:
            word = word_of(task)
            key = f"{task['task_key']} {task.get('attempt_number', 0)}"
            if self._said.get(key) != word and word not in {"BLOCKED", "PENDING", "QUEUED"}:
                self._said[key] = word
                seconds = seconds_of(task)
                _console.say(
                    f"  {task['task_key']}: {word}" + (f" ({seconds:.1f} s)" if seconds else "")
                )


def latest(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the latest attempt of each task, each after those that it depends on."""
    newest: dict[str, dict[str, Any]] = {}
    for task in run.get("tasks", []):
        known = newest.get(task["task_key"])
        if known is None or task.get("attempt_number", 0) >= known.get("attempt_number", 0):
            newest[task["task_key"]] = task
    ordered: list[dict[str, Any]] = []
    # With --only a parent may not be part of the run.
    placed = {d["task_key"] for task in newest.values() for d in _parents(task)} - newest.keys()
    while len(ordered) < len(newest):
        ready = [
            task
            for key, task in newest.items()
            if key not in placed and {d["task_key"] for d in _parents(task)} <= placed
        ]
        if not ready:
            break
        ordered += ready
        placed |= {task["task_key"] for task in ready}
    return ordered


def word_of(run: Mapping[str, Any]) -> str:
    """Return the one word that tells the state of a run or of a task's run."""
    state = run.get("state", {})
    return str(state.get("result_state") or state.get("life_cycle_state") or "PENDING")


def seconds_of(task: Mapping[str, Any]) -> float:
    """Return how long the task ran, or has been running, in seconds."""
    start, end = task.get("start_time") or 0, task.get("end_time") or 0
    if not start:
        return 0.0
    if end and task.get("execution_duration"):
        return float(task["execution_duration"]) / 1000
    return max(0.0, ((end or time.time() * 1000) - start) / 1000)


def _parents(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(task.get("depends_on") or [])


def _drawn(tasks: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown = Table.grid(padding=(0, 2))
    depth: dict[str, int] = {}
    for task in tasks:
        parents = [d["task_key"] for d in _parents(task) if d["task_key"] in depth]
        level = 1 + max((depth[p] for p in parents), default=-1)
        depth[task["task_key"]] = level
        word = word_of(task)
        mark, colour = _LOOKS.get(word, _WAITING)
        branch = "   " * max(level - 1, 0) + ("└─ " if level else "")
        seconds = seconds_of(task)
        shown.add_row(
            Text(f"{branch}{mark} {task['task_key']}", style=colour),
            Text(word.lower(), style=colour),
            Text(f"{seconds:6.1f} s" if seconds else "", style="bright_black"),
            Text(f"after {', '.join(parents)}" if len(parents) > 1 else "", style="bright_black"),
        )
    return shown

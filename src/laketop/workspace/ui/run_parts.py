"""How runs and their tasks are shown, wherever they are: lists, bars, drawings, logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laketop.errors import ConfigError
from laketop.runner.attempt import type_of
from laketop.runner.states import FINAL
from laketop.workspace.ui.charts import Bar, bars, timeline
from laketop.workspace.ui.elements import (
    duration,
    lasted,
    link,
    moment,
    status,
    table,
    tone,
    word_of,
)
from laketop.workspace.ui.graph import Node, graph
from laketop.workspace.ui.html import Child, Html
from laketop.workspace.ui.view import View, path

LOG_TAIL = 200_000
"""How many bytes of a log's end a page shows."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")

Fields = Mapping[str, Any]


def page_of(run: Fields) -> str:
    """Return the address of a run, or of an attempt of a task."""
    return path("jobs", run.get("job_id", 0), "runs", run["run_id"])


def is_final(run: Fields) -> bool:
    """Tell whether a run or an attempt has ended."""
    return (run.get("state") or {}).get("life_cycle_state") in FINAL


def kind_of(task: Fields) -> str:
    """Return the type of a task; nothing where its settings do not say one."""
    try:
        return type_of(task)
    except ConfigError:
        return ""


def runs_table(runs: Iterable[Fields], now_ms: int, *, empty: str) -> Html:
    """Return runs as a table, each a line."""
    return table(
        ("Run", "Job", "State", "Started", "#Duration", "By", ""),
        [
            (
                link(str(run["run_id"]), page_of(run)),
                link(run.get("run_name") or "Untitled", path("jobs", run["job_id"])),
                status(word_of(run)),
                moment(run.get("start_time")),
                duration(lasted(run, now_ms)),
                str(run.get("trigger") or "").lower().replace("_", " "),
                (run.get("state") or {}).get("state_message"),
            )
            for run in runs
        ],
        empty=empty,
    )


def runs_as_bars(runs: Sequence[Fields], now_ms: int) -> Html:
    """Return runs, the newest first, as bars with the newest at the right."""
    drawn = [
        Bar(
            name=str(run["run_id"]),
            lasts_ms=lasted(run, now_ms) or 0,
            tone=tone(word_of(run)),
            title=f"run {run['run_id']}: {_said(run, now_ms)}",
            href=page_of(run),
        )
        for run in reversed(runs)
    ]
    return bars(drawn)


def latest(tasks: Iterable[Fields]) -> list[Fields]:
    """Return the last attempt of each task, in the order in which the tasks first come."""
    newest: dict[str, Fields] = {}
    for task in tasks:
        known = newest.get(task["task_key"])
        if known is None or task.get("attempt_number", 0) >= known.get("attempt_number", 0):
            newest[task["task_key"]] = task
    return list(newest.values())


def tasks_drawn(tasks: Iterable[Fields], job_id: int, now_ms: int) -> Html:
    """Return the graph of a run's tasks in their states; each leads to its last attempt."""
    return graph(
        [
            Node(
                key=task["task_key"],
                parents=_parents(task),
                tone=tone(word_of(task)),
                note=_said(task, now_ms),
                href=page_of({"job_id": job_id, **task}),
            )
            for task in latest(tasks)
        ]
    )


def tasks_planned(tasks: Iterable[Fields]) -> Html:
    """Return the graph of a job's tasks as its settings have them."""
    nodes = [
        Node(
            key=str(task.get("task_key")),
            parents=_parents(task),
            note=kind_of(task).replace("_", " "),
        )
        for task in tasks
    ]
    return graph(nodes)


def tasks_in_time(tasks: Iterable[Fields], job_id: int, now_ms: int) -> Html:
    """Return when each attempt ran, as bars over the time of the run."""
    return timeline(
        [
            Bar(
                name=_name(task),
                start_ms=task.get("start_time") or 0,
                lasts_ms=lasted(task, now_ms) or 0,
                tone=tone(word_of(task)),
                title=f"{_name(task)}: {_said(task, now_ms)}",
                href=page_of({"job_id": job_id, **task}),
            )
            for task in tasks
        ]
    )


def tasks_table(tasks: Iterable[Fields], job_id: int, now_ms: int) -> Html:
    """Return the attempts of a run's tasks as a table."""

    def row(task: Fields) -> Sequence[Child]:
        return (
            link(_name(task), page_of({"job_id": job_id, **task})),
            kind_of(task).replace("_", " "),
            status(word_of(task)),
            moment(task.get("start_time")),
            duration(lasted(task, now_ms)),
            (task.get("state") or {}).get("state_message"),
        )

    heads = ("Task", "Type", "State", "Started", "#Duration", "")
    return table(heads, [row(task) for task in tasks], empty="The run has no tasks yet.")


def log_tail(view: View, run_id: int) -> tuple[str, int]:
    """Return the end of what an attempt has printed, and how long the whole is, in bytes.

    Inside a transaction. Colours and other escapes of terminals are taken out.
    """
    jobs = view.workspace.jobs
    end = jobs.log(run_id, offset=2**60)
    size = int(end.headers["x-laketop-next-offset"])
    _close(end.body)
    reply = jobs.log(run_id, offset=max(0, size - LOG_TAIL))
    try:
        text = b"".join([reply.body] if isinstance(reply.body, bytes) else reply.body)
    finally:
        _close(reply.body)
    return plain(text.decode("utf-8", errors="replace")), size


def plain(text: str) -> str:
    """Return what a terminal prints without what only steers a terminal."""
    return _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def _close(body: Any) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _name(task: Fields) -> str:
    number = task.get("attempt_number") or 0
    return f"{task['task_key']} (attempt {number + 1})" if number else str(task["task_key"])


def _said(run: Fields, now_ms: int) -> str:
    word = word_of(run).replace("_", " ").lower()
    took = duration(lasted(run, now_ms))
    return f"{word}, {took}" if took else word


def _parents(task: Fields) -> list[str]:
    return [str(one.get("task_key")) for one in task.get("depends_on") or ()]

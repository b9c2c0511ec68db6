"""One run: its graph, when its tasks ran, what each printed and returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laketop.workspace.service import Reply
from laketop.workspace.ui import run_parts
from laketop.workspace.ui.elements import (
    as_json,
    chips,
    code,
    duration,
    facts,
    lasted,
    link,
    moment,
    notice,
    section,
    size,
    status,
    word_of,
)
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.view import Page, View, id_of, page, path

Fields = Mapping[str, Any]


@page("/jobs/{job_id}/runs/{run_id}")
def run(view: View, job_id: str, run_id: str) -> Page:
    """Show a run, or an attempt of one of its tasks, by its id; the id of the job is not needed."""
    del job_id
    number = id_of(run_id, "run")
    with view.reading():
        found = _whole(view, number)
        return _task(view, found) if "job_run_id" in found else _run(view, found)


@page("/jobs/{job_id}/runs/{run_id}/log")
def log(view: View, job_id: str, run_id: str) -> Reply:
    """Return the whole of what an attempt printed, as text."""
    del job_id
    with view.reading():
        reply: Reply = view.workspace.jobs.log(id_of(run_id, "run"))
    return reply


def _whole(view: View, run_id: int) -> dict[str, Any]:
    found: dict[str, Any] = view.workspace.jobs.get_run(run_id, include_history=True)
    part = found
    while part.get("next_page_token"):
        part = view.workspace.jobs.get_run(run_id, page_token=part["next_page_token"])
        found["tasks"] = [*found["tasks"], *part.get("tasks", ())]
    return found


def _run(view: View, found: Fields) -> Page:
    now_ms, tasks, job_id = view.workspace.now_ms(), found["tasks"], found["job_id"]
    only = tasks[0] if len({task["task_key"] for task in tasks}) == 1 else None
    body = join(
        _facts(found, now_ms),
        _message(found),
        section("Tasks", run_parts.tasks_drawn(tasks, job_id, now_ms)),
        section("Time", run_parts.tasks_in_time(tasks, job_id, now_ms)),
        run_parts.tasks_table(tasks, job_id, now_ms),
        _printed(view, {"job_id": job_id, **tasks[-1]}) if only is not None else None,
        _history(found),
    )
    return Page(
        title=found.get("run_name") or "Untitled",
        body=body,
        section="runs",
        trail=[
            ("Jobs", "/jobs"),
            (f"Job {job_id}", path("jobs", job_id)),
            (f"Run {found['run_id']}", view.path),
        ],
        is_changing=not run_parts.is_final(found),
    )


def _task(view: View, found: Fields) -> Page:
    now_ms, job_id, of_run = view.workspace.now_ms(), found["job_id"], found["job_run_id"]
    iterations = [one for one in found.get("iterations") or () if one.get("run_id")]
    task = next(iter(found.get("tasks") or ()), found)
    body = join(
        _facts(found, now_ms),
        _message(found),
        section("Iterations", run_parts.tasks_table(iterations, job_id, now_ms))
        if iterations
        else None,
        _output(view, found),
        _printed(view, found),
        section("Settings", as_json(_settings(task))),
    )
    above = path("jobs", job_id, "runs", of_run)
    return Page(
        title=found["task_key"] if "task_key" in found else found["run_name"],
        body=body,
        section="runs",
        trail=[
            ("Jobs", "/jobs"),
            (f"Job {job_id}", path("jobs", job_id)),
            (f"Run {of_run}", above),
        ],
        is_changing=not run_parts.is_final(found),
    )


def _facts(found: Fields, now_ms: int) -> Html:
    parameters = {
        one["name"]: one.get("value", one.get("default", ""))
        for one in found.get("job_parameters") or ()
    }
    trigger = found.get("trigger_info") or {}
    above = trigger.get("run_id")
    return facts(
        ("State", status(word_of(found))),
        ("Started", moment(found.get("start_time"))),
        ("Ended", moment(found.get("end_time"))),
        ("Duration", duration(lasted(found, now_ms))),
        ("By", found.get("creator_user_name")),
        ("Begun by", str(found.get("trigger") or "").lower().replace("_", " ")),
        ("For the task", link(str(above), path("jobs", 0, "runs", above)) if above else None),
        ("Attempt", (found.get("attempt_number") or 0) + 1 if "task_key" in found else None),
        ("Parameters", chips(parameters) if parameters else None),
    )


def _message(found: Fields) -> Html | None:
    text = (found.get("state") or {}).get("state_message")
    is_bad = word_of(found) in {"FAILED", "TIMEDOUT", "INTERNAL_ERROR"}
    return notice(text, kind="bad" if is_bad else "note") if text else None


def _output(view: View, found: Fields) -> Html | None:
    if not run_parts.is_final(found):
        return None
    told = view.workspace.jobs.get_run_output(found["run_id"])
    child = (told.get("run_job_output") or {}).get("run_id")
    result = (told.get("notebook_output") or {}).get("result")
    parts = [
        notice(told["error"], kind="bad") if told.get("error") else None,
        code(run_parts.plain(told["error_trace"])) if told.get("error_trace") else None,
        link(f"run {child}", path("jobs", 0, "runs", child)) if child else None,
        code(result) if result else None,
    ]
    return section("Output", parts) if any(parts) else None


def _printed(view: View, found: Fields) -> Html | None:
    text, whole = run_parts.log_tail(view, found["run_id"])
    if not whole:
        return None
    cut = (
        f"the last {size(run_parts.LOG_TAIL)} of {size(whole)}, "
        if whole > run_parts.LOG_TAIL
        else ""
    )
    all_ = link("all of it as text", f"{run_parts.page_of(found)}/log")
    return section("Log", el("pre", text, class_="log", tabindex="0"), more=el("span", cut, all_))


def _history(found: Fields) -> Html | None:
    history = found.get("repair_history") or ()
    if len(history) < 2:
        return None
    return section("Repairs", as_json(history))


def _settings(task: Fields) -> dict[str, Any]:
    kind = run_parts.kind_of(task)
    names = (
        f"{kind}_task",
        "depends_on",
        "run_if",
        "max_retries",
        "timeout_seconds",
        "environment_key",
    )
    return {name: task[name] for name in names if task.get(name)}

"""Jobs: the list of them, and each with its tasks, its settings and its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laketop.workspace.ui.elements import (
    as_json,
    chips,
    facts,
    link,
    moment,
    pager,
    section,
    status,
    table,
    tabs,
    word_of,
)
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.run_parts import (
    is_final,
    page_of,
    runs_as_bars,
    runs_table,
    tasks_planned,
)
from laketop.workspace.ui.view import Page, View, id_of, page, path

_JOBS = [("Jobs", "/jobs")]
_PER_PAGE = 50
_RUNS_PER_PAGE = 25


@page("/jobs")
def jobs(view: View) -> Page:
    """List the jobs, the newest first, each with its last run."""
    service = view.workspace.jobs
    with view.reading():
        found = service.list(limit=_PER_PAGE, page_token=_token(view))
        rows = []
        for job in found["jobs"]:
            last = next(iter(service.list_runs(job_id=job["job_id"], limit=1)["runs"]), None)
            rows.append(
                (
                    link(job["settings"].get("name") or "Untitled", path("jobs", job["job_id"])),
                    str(job["job_id"]),
                    when(job["settings"]),
                    link(status(word_of(last)), page_of(last)) if last else None,
                    moment(last.get("start_time")) if last else None,
                    job["creator_user_name"],
                )
            )
    heads = ("Job", "Id", "Starts", "Last run", "At", "Made by")
    empty = "There is no job yet: `laketop deploy` or `laketop run JOB` makes those of a bundle."
    older = view.here(page=found["next_page_token"]) if "next_page_token" in found else None
    body = join(table(heads, rows, empty=empty), _pager(view, older))
    return Page(title="Jobs", body=body, section="jobs")


@page("/jobs/runs")
def runs(view: View) -> Page:
    """List the runs of all jobs, the newest first."""
    wanted = view.query.get("tab", "all")
    with view.reading():
        found = view.workspace.jobs.list_runs(
            limit=_RUNS_PER_PAGE,
            page_token=_token(view),
            active_only=wanted == "active",
            completed_only=wanted == "completed",
        )
    now_ms = view.workspace.now_ms()
    tab = None if wanted == "all" else wanted
    more = found.get("next_page_token")
    body = join(
        tabs(view, {"all": "All", "active": "Active", "completed": "Completed"}, wanted),
        runs_table(found["runs"], now_ms, empty="There is no such run."),
        _pager(view, view.here(tab=tab, page=more) if more else None),
    )
    is_changing = any(not is_final(run) for run in found["runs"])
    return Page(title="Runs", body=body, section="runs", is_changing=is_changing)


@page("/jobs/{job_id}")
def job(view: View, job_id: str) -> Page:
    """Show one job: the graph of its tasks, its runs, its settings."""
    number = id_of(job_id, "job")
    service = view.workspace.jobs
    now_ms = view.workspace.now_ms()
    with view.reading():
        found = service.get(number)
        settings = service.settings_of(number)
        listed = service.list_runs(job_id=number, limit=_RUNS_PER_PAGE, page_token=_token(view))
    tab = view.query.get("tab", "runs")
    more = listed.get("next_page_token")
    shown: Mapping[str, Html] = {
        "runs": join(
            runs_as_bars(listed["runs"], now_ms),
            runs_table(listed["runs"], now_ms, empty="It has not run yet."),
            _pager(view, view.here(page=more) if more else None),
        ),
        "settings": as_json(settings),
    }
    body = join(
        _facts(found, settings),
        section("Tasks", tasks_planned(settings.get("tasks") or ())),
        tabs(view, {"runs": "Runs", "settings": "Settings"}, tab),
        shown.get(tab, shown["runs"]),
    )
    is_changing = any(not is_final(run) for run in listed["runs"])
    title = settings.get("name") or "Untitled"
    return Page(title=title, body=body, section="jobs", trail=_JOBS, is_changing=is_changing)


def when(settings: Mapping[str, Any]) -> str:
    """Return what starts a job, in words."""
    schedule, trigger = settings.get("schedule"), settings.get("trigger") or {}
    told = ""
    if schedule:
        told = f"{schedule.get('quartz_cron_expression')} {schedule.get('timezone_id')}"
    elif trigger.get("periodic"):
        periodic = trigger["periodic"]
        told = f"every {periodic.get('interval')} {str(periodic.get('unit')).lower()}"
    elif trigger:
        told = next((name.replace("_", " ") for name in trigger if name != "pause_status"), "")
    elif settings.get("continuous"):
        told = "continuous"
    holder = schedule or trigger or settings.get("continuous") or {}
    return f"{told} (paused)" if told and holder.get("pause_status") == "PAUSED" else told


def _facts(found: Mapping[str, Any], settings: Mapping[str, Any]) -> Html:
    parameters = {one["name"]: one.get("default", "") for one in settings.get("parameters") or ()}
    return facts(
        ("Job", str(found["job_id"])),
        ("Made by", found["creator_user_name"]),
        ("Runs as", found["run_as_user_name"]),
        ("Made", moment(found["created_time"])),
        ("Starts", when(settings)),
        ("At most at once", settings.get("max_concurrent_runs")),
        ("Parameters", chips(parameters) if parameters else None),
        ("Tags", chips(settings.get("tags") or {}) if settings.get("tags") else None),
        ("Described", el("span", settings["description"]) if settings.get("description") else None),
    )


def _token(view: View) -> str | None:
    number = view.number("page")
    return None if number is None else str(number)


def _pager(view: View, older: str | None) -> Html:
    tab = view.query.get("tab")
    return pager(older, newest=view.here(tab=tab) if "page" in view.query else None)

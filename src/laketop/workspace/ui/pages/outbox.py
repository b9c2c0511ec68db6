"""The outbox: the notifications that Databricks would send, and laketop writes to files."""

from __future__ import annotations

import heapq
import json
from pathlib import Path
from typing import Any

from laketop.workspace import outbox as sent
from laketop.workspace.ui.elements import link, moment, notice, pager, status, table
from laketop.workspace.ui.html import Child, Html, el, join
from laketop.workspace.ui.view import Page, View, page, path

_PER_PAGE = 50


@page("/outbox")
def outbox(view: View) -> Page:
    """List the messages, the newest first."""
    folder = view.workspace.state / sent.FOLDER
    before = view.query.get("page", "")
    files = (
        [f for f in folder.glob("*.json") if not before or f.name < before]
        if folder.is_dir()
        else []
    )
    found = heapq.nlargest(_PER_PAGE, files)
    is_more = len(files) > len(found)
    body = join(
        notice(
            "Nothing leaves this laptop: what would be sent is written to ", _folder(folder), "."
        ),
        table(
            ("At", "Event", "Run", "Task", "Result", "To"),
            [_row(json.loads(file.read_text(encoding="utf-8"))) for file in found],
            empty="Nobody was to be told of anything yet.",
        ),
        pager(
            view.here(page=found[-1].name) if is_more else None,
            newest=view.here() if before else None,
        ),
    )
    return Page(title="Outbox", body=body, section="outbox")


def _folder(folder: Path) -> Html:
    return el("code", f"{folder.parent.name}/{folder.name}")


def _row(told: dict[str, Any]) -> tuple[Child, ...]:
    run = path("jobs", told["job_id"], "runs", told.get("task_run_id") or told["run_id"])
    return (
        moment(told["time"]),
        str(told["event"]).replace("_", " "),
        link(told.get("run_name") or str(told["run_id"]), run),
        told.get("task_key"),
        status(told["result_state"]) if told.get("result_state") else None,
        ", ".join(str(one) for one in [*told.get("to", ()), *told.get("webhooks", ())]),
    )

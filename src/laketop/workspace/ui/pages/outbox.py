"""The outbox: the notifications that Databricks would send, and laketop writes to files."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import PermissionDenied

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
            [_row(told) for told in _told(view, found)],
            empty="Nobody was to be told of anything yet.",
        ),
        pager(
            view.here(page=found[-1].name) if is_more else None,
            newest=view.here() if before else None,
        ),
    )
    return Page(title="Outbox", body=body, section="outbox")


def _told(view: View, files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield what the files hold, but for what is of runs that the person may not see."""
    for file in files:
        told = json.loads(file.read_text(encoding="utf-8"))
        with view.reading():
            try:
                view.workspace.jobs.get_run(told["run_id"])
            except PermissionDenied:
                continue
            except DatabricksError:  # the run was deleted: nobody's rights on it are known
                if not view.workspace.is_admin:
                    continue
        yield told


def _folder(folder: Path) -> Html:
    return el("code", f"{folder.parent.name}/{folder.name}")


def _row(told: dict[str, Any]) -> tuple[Child, ...]:
    run = path("jobs", told["job_id"], "runs", told.get("task_run_id") or told["run_id"])
    result = told.get("result_state") or told.get("alert_state")
    return (
        moment(told["time"]),
        str(told["event"]).replace("_", " "),
        link(told.get("run_name") or str(told["run_id"]), run),
        told.get("task_key"),
        status(result) if result else None,
        ", ".join(str(one) for one in [*told.get("to", ()), *told.get("webhooks", ())]),
    )

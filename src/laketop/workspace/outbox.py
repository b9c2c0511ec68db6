"""Notifications of runs: laketop sends nothing, it writes them to a folder that one can read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from laketop.runner.notifications import Event, recipients

FOLDER = "outbox"
log = logging.getLogger("laketop.workspace")


def deliver(
    state: Path, job: Mapping[str, Any], snapshot: Mapping[str, Any], events: Iterable[Event]
) -> None:
    """Write a file to `outbox/` for each event that somebody wants to be told of.

    What cannot be written is logged: a notification never stops a run.
    """
    for event in events:
        told = recipients(job, event)
        if told:
            message = {**_message(snapshot, event), "to": told.emails, "webhooks": told.webhooks}
            try:
                _write(state / FOLDER, message)
            except OSError as error:
                log.warning("a notification of run %s is lost: %s", snapshot["run_id"], error)


def _message(snapshot: Mapping[str, Any], event: Event) -> dict[str, Any]:
    message: dict[str, Any] = {
        "event": event.name,
        "time": event.at_ms,
        "job_id": snapshot["job_id"],
        "run_id": snapshot["run_id"],
        "run_name": snapshot["run_name"],
    }
    if event.task is not None:
        message |= {"task_key": event.task["task_key"], "task_run_id": event.task_run_id}
    if event.result is not None:
        message["result_state"] = event.result
    return message


def _write(folder: Path, message: Mapping[str, Any]) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    task = f"-{message['task_key']}" if "task_key" in message else ""
    stem = f"{message['time']}-{message['run_id']}{task}-{message['event']}"
    draft = folder / f".{stem}.draft"
    draft.write_text(json.dumps(message, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / f"{stem}.json")

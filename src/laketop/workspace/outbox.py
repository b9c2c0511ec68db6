"""Notifications of runs: laketop sends nothing, it writes them to a folder that one can read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from laketop.runner.alerts import Finding
from laketop.runner.notifications import Event, recipients

FOLDER = "outbox"
ON_ALERT = "on_alert"
"""The event of an alert that a task has evaluated."""
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


def deliver_finding(state: Path, finding: Finding, run_name: str, now_ms: int) -> None:
    """Write a file to `outbox/` if a task tells anybody of the state of an alert.

    What cannot be written is logged, as by `deliver`.
    """
    if not finding.told:
        return
    message = {
        "event": ON_ALERT,
        "time": now_ms,
        "job_id": finding.job_id,
        "run_id": finding.run_id,
        "run_name": run_name,
        "task_key": finding.task_key,
        "task_run_id": finding.task_run_id,
        "alert_id": finding.alert_id,
        "alert_state": finding.state,
        "to": finding.told.emails,
        "webhooks": finding.told.webhooks,
    }
    try:
        _write(state / FOLDER, message)
    except OSError as error:
        log.warning("a notification of run %s is lost: %s", finding.run_id, error)


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

"""What an attempt left in its folder: its log, its exit value, its error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laketop.runner.attempt import type_of
from laketop.runner.execute import OUTCOME_FILE

LOG_FILE = "output.log"
NOT_EVALUATED = "UNKNOWN"
"""The state of an alert that was not evaluated."""
_LARGEST = 5 * 1024 * 1024
"""Source: Databricks docs, job parameters."""


def output_of(folder: Path, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output of an attempt as `runs/get-output` tells it, but for `metadata`.

    A notebook has its exit value, the first 5 MB; scripts and wheels the last 5 MB of their log.
    """
    outcome = outcome_of(folder)
    found = {name: outcome[name] for name in ("error", "error_trace") if outcome.get(name)}
    kind = type_of(task)
    if kind == "notebook":
        found["notebook_output"] = _notebook(outcome.get("exit_value"))
    elif kind == "run_job" and outcome.get("child_run_id"):
        found["run_job_output"] = {"run_id": outcome["child_run_id"]}
    elif kind == "sql":
        found["sql_output"] = _sql(task["sql_task"], outcome.get("output") or {}, folder)
    elif kind == "alert":
        state = (outcome.get("output") or {}).get("alert_state", NOT_EVALUATED)
        found["alert_output"] = {"alert_state": state}
    elif (folder / LOG_FILE).is_file():
        found |= _end_of(folder / LOG_FILE)
    return found


def outcome_of(folder: Path) -> dict[str, Any]:
    """Return the fields of the outcome of an attempt, none of one that left nothing."""
    try:
        outcome: dict[str, Any] = json.loads((folder / OUTCOME_FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return outcome


def _sql(settings: Mapping[str, Any], output: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    # `output_link` of a workspace leads to its page of the query; here, to what was printed.
    link = (folder / LOG_FILE).as_uri()
    told = {"warehouse_id": settings.get("warehouse_id"), "output_link": link}
    if settings.get("alert"):
        return {"alert_output": {**told, "alert_state": output.get("alert_state", NOT_EVALUATED)}}
    return {"query_output": told}


def _notebook(exit_value: str | None) -> dict[str, Any]:
    if exit_value is None:
        return {"truncated": False}
    start = exit_value.encode()[:_LARGEST].decode(errors="ignore")
    return {"result": start, "truncated": len(start) < len(exit_value)}


def _end_of(file: Path) -> dict[str, Any]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(max(size - _LARGEST, 0))
        text = stream.read(_LARGEST).decode(errors="replace")
    return {"logs": text, "logs_truncated": size > _LARGEST}

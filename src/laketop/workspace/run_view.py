"""How runs are shown: what the records hold, with addresses and what the runner keeps to itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from laketop.runner.attempt import resolved_values
from laketop.runner.git_source import used_commit
from laketop.workspace.run_records import RunRecord

_OURS: Final = frozenset({"environments", "environment_variables", "iterations", "resolved_values"})
"""What the records hold of an attempt and is not shown, or not always."""


def shown(record: RunRecord, host: str, folder: Path) -> dict[str, Any]:
    """Return a run as `runs/get` answers it; `folder` is the run's own.

    `host` is the address of the workspace, at which its page is.
    """
    page = _page_url(host, record, record.run_id)
    trigger = record.more.get("trigger_info")
    return {
        **record.snapshot,
        "creator_user_name": record.creator,
        "run_page_url": page,
        **({"trigger_info": trigger} if trigger else {}),
        **({"schedule": record.more["schedule"]} if "schedule" in record.more else {}),
        **_repository(record, folder),
        "tasks": [{**_as_sent(task), "run_page_url": page} for task in record.tasks],
    }


def shown_attempt(record: RunRecord, task: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return an attempt in the form of a run of its own."""
    return {
        "job_id": record.job_id,
        "run_type": record.run_type,
        "run_name": task["task_key"],
        "creator_user_name": record.creator,
        "job_run_id": record.run_id,
        "run_page_url": _page_url(host, record, task["run_id"]),
        **_as_sent(task),
    }


def with_iterations(attempt: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shown attempt of a for_each task with its iterations; any other as it is."""
    if "for_each_task" not in task:
        return dict(attempt)
    iterations = [_as_sent(one) for one in task.get("iterations", ())]
    return {**attempt, "tasks": [_as_sent(task)], "iterations": iterations}


def _page_url(host: str, record: RunRecord, run_id: int) -> str:
    return f"{host}/jobs/{record.job_id}/runs/{run_id}"


def _repository(record: RunRecord, folder: Path) -> dict[str, Any]:
    git = next((task["git_source"] for task in record.tasks if "git_source" in task), None)
    commit = used_commit(folder) if git else None
    snapshot = {"git_snapshot": {"used_commit": commit}} if commit else {}
    return {"git_source": {**git, **snapshot}} if git else {}


def with_resolved(run: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a shown run, its attempts with the values of their parameters; `tasks` hold them.

    An attempt that has not begun has none.
    """
    values = {
        task["run_id"]: {"resolved_values": task.get("resolved_values", resolved_values(task))}
        for task in tasks
        if task["start_time"] and task["state"]["life_cycle_state"] != "SKIPPED"
    }
    shown = [{**task, **values.get(task["run_id"], {})} for task in run["tasks"]]
    return {**run, "tasks": shown}


def _as_sent(task: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: task[name] for name in task if name not in _OURS}
    each = shown.get("for_each_task")
    return {**shown, "for_each_task": {**each, "task": _as_sent(each["task"])}} if each else shown

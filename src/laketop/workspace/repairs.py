"""Repairs of runs: a run that has ended goes on under its own id. Source: Jobs API 2.2, repair."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.runner.attempt import Attempt
from laketop.runner.graph import Graph
from laketop.runner.repair import Wish, chosen
from laketop.runner.run import JobRun, Repair, RunRequest
from laketop.workspace.run_records import RunRecord

_AS_BEFORE: Mapping[str, str] = MappingProxyType({})
_HISTORY_FIELDS = ("start_time", "end_time", "state", "status")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ground:
    """What a repair starts from."""

    record: RunRecord
    settings: Mapping[str, Any]
    """Those of the job as they are now; of a run without a job, those that were submitted."""
    outcome_of: Callable[[int], Mapping[str, Any]]
    """The fields of the outcome of an attempt, by its id."""
    workspace: Mapping[str, str]
    """What `{{workspace.…}}` says."""


def check_repairable(record: RunRecord, latest_repair_id: int | None) -> None:
    """Return if the run may be repaired by someone who knows of this last repair.

    Errors: InvalidParameterValue for a run in progress, and from the second repair on for an id
    that is missing or stale.
    """
    if not record.is_final:
        raise InvalidParameterValue(f"Run {record.run_id} is in progress and cannot be repaired.")
    last = last_repair_id(record)
    if last is not None and latest_repair_id != last:
        raise InvalidParameterValue(
            f"latest_repair_id is {latest_repair_id}, the last repair of run {record.run_id}"
            f" is {last}."
        )


def last_repair_id(record: RunRecord) -> int | None:
    """Return the id of the run's last repair, None if it never was repaired."""
    repair_id = record.more.get("repair_id")
    return None if repair_id is None else int(repair_id)


def repaired(
    ground: Ground,
    wish: Wish,
    parameters: Mapping[str, str],
    *,
    new_id: Callable[[], int],
    now_ms: int,
) -> JobRun:
    """Return the run, ready to go on with the tasks that the wish chooses.

    Errors: ConfigError for a wish that cannot be met and for settings that cannot be run.
    """
    record = ground.record
    snapshot = record.snapshot
    past = past_of(ground, record.tasks)
    graph = Graph.of(ground.settings.get("tasks") or ())
    results = {key: attempts[-1].result or "" for key, attempts in past.items()}
    again = chosen(wish, graph, results)
    only = tuple(key for key in graph.edges if key in past or key in again) if past else ()
    request = request_of(ground, parameters, only)
    repair = Repair(
        begin_ms=now_ms,
        start_ms=snapshot["start_time"],
        past=past,
        tasks=again,
        count=len(record.more.get("history", ())) + 1,
        past_ms=snapshot["run_duration"],
    )
    return JobRun(ground.settings, request, new_id, repair)


def past_of(ground: Ground, views: Iterable[Mapping[str, Any]]) -> dict[str, list[Attempt]]:
    """Return the attempts that `views` show, all final, by the keys of their tasks."""
    past: dict[str, list[Attempt]] = {}
    for view in views:
        attempt = Attempt.restored(view, ground.outcome_of(view["run_id"]))
        past.setdefault(attempt.key, []).append(attempt)
    return past


def request_of(
    ground: Ground, parameters: Mapping[str, str] = _AS_BEFORE, only: tuple[str, ...] = ()
) -> RunRequest:
    """Return what was asked for when the run was made, with some other parameters."""
    record, snapshot = ground.record, ground.record.snapshot
    values = {entry["name"]: entry["value"] for entry in snapshot["job_parameters"]}
    return RunRequest(
        job_id=record.job_id,
        run_id=record.run_id,
        created_ms=snapshot["start_time"] - snapshot["queue_duration"],
        parameters={**values, **parameters},
        only=only,
        trigger=snapshot["trigger"],
        facts=record.more.get("facts", {}),
        run_type=record.run_type,
        workspace=ground.workspace,
    )


def with_repair(record: RunRecord, repair_id: int, now_ms: int) -> dict[str, Any]:
    """Return what is known of a run besides its snapshot, once a repair of it has begun."""
    history = [*record.more.get("history", ()), _entry(record)]
    begun = {"repair_id": repair_id, "repair_start_ms": now_ms}
    return {**record.more, **begun, "history": history}


def history_of(record: RunRecord) -> list[dict[str, Any]]:
    """Return the `repair_history` of a run: its original and its repairs, in order."""
    return [*record.more.get("history", ()), _entry(record)]


def _entry(record: RunRecord) -> dict[str, Any]:
    # The run as it stands, as the last item of its history.
    known = {run_id for one in record.more.get("history", ()) for run_id in one["task_run_ids"]}
    told = {name: record.snapshot[name] for name in _HISTORY_FIELDS}
    repair_id = last_repair_id(record)
    if repair_id is None:
        kind: dict[str, Any] = {"type": "ORIGINAL"}
    else:
        kind = {"type": "REPAIR", "id": repair_id}
        told["start_time"] = record.more["repair_start_ms"]
    task_run_ids = [task["run_id"] for task in record.tasks if task["run_id"] not in known]
    return {**kind, **told, "task_run_ids": task_run_ids}

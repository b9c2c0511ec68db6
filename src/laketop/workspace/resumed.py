"""Runs that were cut off and go on, since the retries of their tasks say so.

Source: reliability R3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from laketop.runner.attempt import settings_of, type_of
from laketop.runner.run import CONTINUOUS, MAX_RETRIES_DEFAULT, JobRun, Repair, settle
from laketop.runner.states import FINAL
from laketop.workspace.repairs import Ground, past_of, request_of
from laketop.workspace.run_records import RunRecord

_BEGUN = ("PENDING", "RUNNING")
_NOT_YET = ("BLOCKED", "WAITING_FOR_RETRY")
_NEVER_AGAIN = ("condition", "run_job")
"""Types of task that are never retried, or whose retry would leave another run behind."""


def goes_on(record: RunRecord) -> bool:
    """Return whether a run that was cut off goes on: all that had begun is to be retried.

    So does one in which something waited for its retry and nothing else had begun.

    A run of a continuous job, of a run_job task, that was submitted, or repaired, does not.
    """
    is_plain = record.run_type == "JOB_RUN" and record.snapshot["trigger"] not in CONTINUOUS
    if record.life_cycle != "RUNNING" or not is_plain:
        return False
    if record.more.get("chain") or record.more.get("history"):
        return False
    words = {task["run_id"]: _word(task) for task in record.tasks}
    begun = [task for task in record.tasks if words[task["run_id"]] in _BEGUN]
    known = FINAL.union(_BEGUN, _NOT_YET)
    is_on_its_way = bool(begun) or "WAITING_FOR_RETRY" in words.values()
    return is_on_its_way and known.issuperset(words.values()) and all(map(_is_retried, begun))


def _word(task: Mapping[str, Any]) -> str:
    return str(task["state"]["life_cycle_state"])


def _is_retried(task: Mapping[str, Any]) -> bool:
    most = task.get("max_retries", MAX_RETRIES_DEFAULT)
    has_retries = most < 0 or task["attempt_number"] < most
    nested = (task.get("for_each_task") or {}).get("task")
    types = {type_of(one) for one in (task, nested) if one is not None}
    return has_retries and types.isdisjoint(_NEVER_AGAIN)


def not_begun(record: RunRecord) -> list[int]:
    """Return the ids of the attempts in whose place a run that goes on makes new ones."""
    return [task["run_id"] for task in record.tasks if _word(task) in _NOT_YET]


def resumed(ground: Ground, *, new_id: Callable[[], int], now_ms: int) -> JobRun:
    """Return the run, ready to go on with the tasks that it was made with.

    What was running is retried. The settings of the job itself, such as environments, timeout and
    defaults of parameters, are those of now. Errors: ConfigError for settings that cannot be run.
    """
    record = ground.record
    fresh = not_begun(record)
    settled = settle(record.snapshot, now_ms=now_ms)["tasks"]
    past = past_of(ground, (task for task in settled if task["run_id"] not in fresh))
    for attempts in past.values():
        for attempt in attempts:
            attempt.retry = attempt.number
    last = {task["task_key"]: task for task in record.tasks}
    again = {key for key, task in last.items() if _word(task) not in FINAL}
    repair = Repair(
        begin_ms=record.snapshot["start_time"],
        start_ms=record.snapshot["start_time"],
        past=past,
        tasks=again,
        is_resumed=True,
    )
    settings = {**ground.settings, "tasks": [_among(last, task) for task in last.values()]}
    return JobRun(settings, request_of(ground), new_id, repair)


def _among(tasks: Mapping[str, Any], view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the task that `view` shows, in a run that has these tasks alone."""
    settings = settings_of(view)
    edges = [edge for edge in settings.get("depends_on") or () if edge["task_key"] in tasks]
    return {**settings, "depends_on": edges} if "depends_on" in settings else settings

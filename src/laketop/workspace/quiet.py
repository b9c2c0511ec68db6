"""Whether a run goes on by itself, or only waits for the clock: what a replay of time asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from laketop.runner.run import JobRun

_LIVE = frozenset({"PENDING", "RUNNING", "TERMINATING"})


def parent_of(more: Mapping[str, Any]) -> int | None:
    """Return the attempt of a run_job task that started a run, from what the run's record holds."""
    found: int | None = (more.get("trigger_info") or {}).get("run_id")
    return found


def waits_for_the_clock(
    run: JobRun, told: Mapping[str, Any], parents: Collection[int | None], now_ms: int
) -> bool:
    """Return whether nothing of a run happens before a time that is still to come.

    `told` is its last snapshot, `parents` are the attempts that wait for another run. A run of a
    continuous job counts as waiting: it goes on beside everything else.
    """
    if run.request.trigger.startswith("CONTINUOUS"):
        return True
    if told["state"]["life_cycle_state"] != "RUNNING":
        return False
    live = [task for task in told["tasks"] if task["state"]["life_cycle_state"] in _LIVE]
    if live:
        return all("run_job_task" in task and task["run_id"] in parents for task in live)
    due_ms = run.due_ms()
    return due_ms is not None and due_ms > now_ms

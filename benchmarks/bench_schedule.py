"""What a job of a thousand tasks costs beside the tasks: conditions compute nothing."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.ratios import judge, run

from laketop.settings import Settings
from laketop.workspace.workspace import Workspace

TASKS = 1_000
ROUNDS = 3
GOAL_MS = 5.0
_FINAL = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


def condition(number: int, parents: list[int]) -> dict[str, Any]:
    """Return a task that compares two texts once its parents have."""
    return {
        "task_key": f"t{number}",
        "depends_on": [{"task_key": f"t{parent}"} for parent in parents],
        "condition_task": {"op": "EQUAL_TO", "left": "a", "right": "a"},
    }


SHAPES: dict[str, Callable[[int], list[int]]] = {
    "side by side": lambda _: [],
    "in a row": lambda number: [number - 1] if number else [],
    "in layers of ten": lambda number: (
        list(range(number - number % 10 - 10, number - number % 10)) if number >= 10 else []
    ),
}


def seconds_of(workspace: Workspace, tasks: list[dict[str, Any]]) -> float:
    """Run the job and return how long that took, until its end is written down."""
    jobs = workspace.services["jobs"]
    store = workspace.store
    with store.transaction(write=True):
        job_id = jobs.create({"name": "bench", "tasks": tasks})["job_id"]  # type: ignore[attr-defined]  # of the service
    began = time.monotonic()
    with store.transaction(write=True):
        run_id = jobs.run_now(job_id=job_id, fields={})["run_id"]  # type: ignore[attr-defined]  # of the service
    while True:
        with store.transaction(write=False):
            row = store.execute("SELECT is_active FROM runs WHERE run_id = ?", (run_id,))
        if not row[0][0]:
            return time.monotonic() - began
        time.sleep(0.005)


def main() -> None:
    """Print the cost of a task, in each shape of job."""
    with tempfile.TemporaryDirectory(prefix="laketop-bench-") as folder:
        root = Path(folder)
        workspace = Workspace(Settings(root=root, cache=root / "cache"))
        try:
            for name, parents in SHAPES.items():
                tasks = [condition(number, parents(number)) for number in range(TASKS)]
                took = sorted(seconds_of(workspace, tasks) for _ in range(ROUNDS))
                ms = [1_000 * seconds / TASKS for seconds in took]
                judge(
                    f"ms for scheduling a task, {TASKS} {name}",
                    statistics.median(ms),
                    goal=GOAL_MS,
                    told=f"from {ms[0]:.2f} to {ms[-1]:.2f}, {ROUNDS} rounds",
                )
        finally:
            workspace.shutdown()


if __name__ == "__main__":
    run(main)

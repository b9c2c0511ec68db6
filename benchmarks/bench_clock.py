"""Ninety days of an hourly job that does nothing, against a minute: what a replay itself costs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.ratios import judge, run

from laketop.settings import Settings
from laketop.workspace import daemon

DAYS = 90
GOAL_SECONDS = 60
_PATH = "/api/laketop/1/clock"
JOB = {
    "name": "hourly",
    "schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC"},
    "tasks": [
        {"task_key": "t", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}},
    ],
}


def main() -> None:
    """Print the ratio of the replay's time to a minute, and the cost of one firing."""
    with tempfile.TemporaryDirectory(prefix="laketop-bench-") as name:
        root = Path(name)
        (root / "databricks.yml").write_text("bundle: {name: bench}\n", encoding="utf-8")
        settings = Settings.read(root)
        contact = daemon.start(settings)
        try:
            contact.wait_for_engine()
            contact.request("POST", "/api/2.2/jobs/create", JOB)
            began = time.monotonic()
            contact.request("POST", f"{_PATH}/advance", {"by_ms": DAYS * 86_400_000})
            while (told := contact.request("GET", _PATH))["is_moving"]:
                time.sleep(0.2)
            seconds = time.monotonic() - began
        finally:
            daemon.stop(settings)
    runs = told["last_move"]["runs"]
    judge(
        f"{DAYS} days of an hourly job that does nothing ÷ a minute: ratio",
        seconds / GOAL_SECONDS,
        goal=1,
        told=f"{runs} runs, {1000 * seconds / runs:.1f} ms each",
    )


if __name__ == "__main__":
    run(main)

"""Loading and linting a bundle of 100 jobs, against PyYAML reading the same files."""

from __future__ import annotations

import functools
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from benchmarks.ratios import compare, judge, run

from laketop.bundle import load

_JOBS = 100
_TASKS = 5


def main() -> None:
    """Print the ratios, and the seconds of the whole command, whose goal is half of one."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = _written(folder)
        for name, lint, goal in (("load", False, 8), ("validate", True, 12)):
            ours = functools.partial(load, folder, target="dev", lint=lint)
            theirs = functools.partial(_parsed, files)
            compare(f"{name} of {_JOBS} jobs ÷ PyYAML", ours, theirs, rounds=9, goal=goal)
        judge(f"seconds of `laketop validate` of {_JOBS} jobs", _commanded(folder), goal=0.5)


def _written(folder: Path) -> list[Path]:
    root = folder / "databricks.yml"
    root.write_text(
        "bundle: {name: many}\ninclude: [resources/*.yml]\n"
        "variables: {catalog: {default: main}, schema: {default: lake}}\n"
        "targets: {dev: {mode: development}, prod: {mode: production}}\n",
        encoding="utf-8",
    )
    (folder / "resources").mkdir()
    (folder / "src").mkdir()
    files = [root]
    for number in range(_JOBS):
        file = folder / "resources" / f"job_{number}.yml"
        file.write_text(_job(number), encoding="utf-8")
        (folder / "src" / f"notebook_{number}.py").write_text(
            "# Databricks notebook source\nimport json\n"
            "df = spark.table(dbutils.widgets.get('catalog') + '.lake.t')\n"
            "dbutils.jobs.taskValues.set('rows', df.count())\n",
            encoding="utf-8",
        )
        files.append(file)
    return files


def _job(number: int) -> str:
    tasks = "".join(
        f"""        - task_key: task_{task}
          depends_on: [{"" if not task else f"{{task_key: task_{task - 1}}}"}]
          notebook_task:
            notebook_path: ../src/notebook_{number}.py
            base_parameters: {{schema: "${{var.schema}}", run: "{{{{job.run_id}}}}"}}
"""
        for task in range(_TASKS)
    )
    return f"""resources:
  jobs:
    job_{number}:
      name: job ${{bundle.target}} {number}
      schedule: {{quartz_cron_expression: 0 0 6 * * ?, timezone_id: UTC}}
      parameters: [{{name: catalog, default: "${{var.catalog}}"}}]
      tasks:
{tasks}"""


def _commanded(folder: Path) -> float:
    """Return the median of the whole command, a process of its own."""
    took = []
    for _ in range(9):
        began = time.perf_counter()
        command = [sys.executable, "-m", "laketop.cli", "validate", "-t", "dev"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _parsed(files: list[Path]) -> None:
    for file in files:
        yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


if __name__ == "__main__":
    run(main)

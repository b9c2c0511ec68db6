"""A warm `laketop run` of a notebook that does nothing, against a process that attaches."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.project import warm_project
from benchmarks.ratios import compare, run

BUNDLE = """
bundle: {name: bench}
targets: {dev: {mode: development, default: true}}
resources:
  jobs:
    nothing:
      tasks: [{task_key: nothing, notebook_task: {notebook_path: nothing.py}}]
"""
NOTEBOOK = "# Databricks notebook source\n"
ATTACH = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
assert spark.range(1).count() == 1
"""


def main() -> None:
    """Print the ratio."""
    files = {"nothing.py": NOTEBOOK, "attach.py": ATTACH}
    with warm_project(BUNDLE, files) as (root, contact):

        def run() -> None:
            command = [sys.executable, "-m", "laketop.cli", "run", "nothing"]
            subprocess.run(command, cwd=root, check=True, stderr=subprocess.DEVNULL)

        def attach() -> None:
            environment = {**os.environ, "SPARK_REMOTE": contact.spark_remote}
            command = [sys.executable, "attach.py"]
            subprocess.run(
                command, cwd=root, env=environment, check=True, stderr=subprocess.DEVNULL
            )

        run()
        attach()
        compare(
            "warm laketop run of a no-op notebook ÷ a Python process that attaches",
            run,
            attach,
            rounds=9,
            goal=1.5,
        )


if __name__ == "__main__":
    run(main)

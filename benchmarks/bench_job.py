"""A job of five Spark tasks, against five processes that each start a Spark of their own."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.project import cold_spark, warm_project
from benchmarks.ratios import compare, run

TASKS = "".join(
    f"""
        - task_key: t{n}
          environment_key: default
          spark_python_task: {{python_file: task.py}}
          {f"depends_on: [{{task_key: t{n - 1}}}]" if n else ""}"""
    for n in range(5)
)
BUNDLE = f"""
bundle: {{name: bench}}
targets: {{dev: {{mode: development, default: true}}}}
resources:
  jobs:
    five:
      environments:
        - environment_key: default
          spec: {{environment_version: "4"}}
      tasks:{TASKS}
"""
TASK = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.sql("create or replace table main.default.five as select * from range(1000)")
assert spark.table("main.default.five").count() == 1000
"""
COLD = cold_spark("""
spark.range(1000).write.format("delta").mode("overwrite").save("five")
assert spark.read.format("delta").load("five").count() == 1000
""")


def main() -> None:
    """Print the ratio."""
    with warm_project(BUNDLE, {"task.py": TASK, "cold.py": COLD}) as (root, _):

        def job() -> None:
            command = [sys.executable, "-m", "laketop.cli", "run", "five"]
            subprocess.run(command, cwd=root, check=True, stderr=subprocess.DEVNULL)

        def processes() -> None:
            for _ in range(5):
                command = [sys.executable, "cold.py"]
                subprocess.run(command, cwd=root, check=True, stderr=subprocess.DEVNULL)

        job()
        compare(
            "a job of five tasks ÷ five cold Spark processes",
            job,
            processes,
            rounds=3,  # nine would start 45 cold Sparks: some ten minutes, on a busy machine more
            goal=0.2,
        )


if __name__ == "__main__":
    run(main)

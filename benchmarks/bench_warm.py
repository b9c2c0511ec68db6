"""A fresh process to its first Delta result: on the warm engine, against a Spark of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.project import cold_spark, warm_project
from benchmarks.ratios import compare, run

BUNDLE = "bundle: {name: bench}\n"
WARM = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
assert spark.sql("select count(*) from main.default.numbers").first()[0] == 1000
"""
COLD = cold_spark("""
assert spark.read.format("delta").load("numbers").count() == 1000
""")
PREPARE = cold_spark("""
spark.range(1000).write.format("delta").save("numbers")
""")


def main() -> None:
    """Print the ratio."""
    files = {"warm.py": WARM, "cold.py": COLD, "prepare.py": PREPARE}
    with warm_project(BUNDLE, files) as (root, contact):

        def run(script: str, **environment: str) -> None:
            subprocess.run(
                [sys.executable, script],
                cwd=root,
                env={**os.environ, **environment},
                stderr=subprocess.DEVNULL,
                check=True,
            )

        run("prepare.py")
        ask = [sys.executable, "-m", "laketop.cli", "sql"]
        make = "create table main.default.numbers as select * from range(1000)"
        subprocess.run([*ask, make], cwd=root, check=True)
        compare(
            "fresh process to first Delta result, warm engine ÷ own Spark",
            lambda: run("warm.py", SPARK_REMOTE=contact.spark_remote),
            lambda: run("cold.py"),
            rounds=9,
            goal=0.1,
        )


if __name__ == "__main__":
    run(main)

"""Streams over Spark Connect: the Python of `foreachBatch` comes back as who started it."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from laketop.runner.workers import workers_python


def test_foreach_batch_runs_as_the_user_on_the_interpreter_of_the_session(
    spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "of_the_task.py").write_text("FACTOR = 3\n")
    before = spark.conf.get("spark.sql.execution.pyspark.python")
    program = workers_python([library], tmp_path / "cache")
    spark.conf.set("spark.sql.execution.pyspark.python", str(program))
    spark.range(5).writeTo(f"{schema}.source").create()
    spark.sql(f"CREATE TABLE {schema}.done (id BIGINT, by STRING, python STRING)")

    def triple(batch: DataFrame, number: int) -> None:
        from of_the_task import FACTOR  # type: ignore[import-not-found]  # the task's own

        rows = batch.selectExpr(
            f"id * {FACTOR} AS id", "current_user() AS by", f"'{sys.executable}' AS python"
        )
        rows.writeTo(f"{schema}.done").append()

    try:
        query = (
            spark.readStream.table(f"{schema}.source")
            .writeStream.trigger(availableNow=True)
            .option("checkpointLocation", str(tmp_path / "checkpoint"))
            .foreachBatch(triple)
            .start()
        )
        query.awaitTermination()
    finally:
        spark.conf.set("spark.sql.execution.pyspark.python", str(before))
    found = spark.table(f"{schema}.done").collect()
    me = spark.sql("SELECT current_user()").collect()[0][0]
    assert sorted(row["id"] for row in found) == [0, 3, 6, 9, 12]
    assert {(row["by"], row["python"]) for row in found} == {(me, sys.executable)}

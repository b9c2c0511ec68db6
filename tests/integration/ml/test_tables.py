"""What Delta tables need of Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.ml import held, to_pandas

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_pandas_frame_carries_no_metrics_of_its_plan(spark: SparkSession) -> None:
    rows = spark.range(3)
    assert rows.toPandas().attrs  # else `to_pandas` has become needless
    frame = to_pandas(rows)
    assert not frame.attrs
    assert frame["id"].tolist() == [0, 1, 2]


def test_rows_are_held_for_the_block_and_no_longer(spark: SparkSession) -> None:
    rows = spark.range(3).withColumnRenamed("id", "held_by_this_test")
    with held(rows) as kept:
        assert kept.storageLevel.useMemory
        assert kept.count() == 3
    assert not rows.storageLevel.useMemory

"""Whether training rows know test rows: rows on both sides, or a split that is not by time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.ml import tables
from laketop.ml.evidence import Evidence

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from laketop.ml.features import TrainingSet


def across_split(training_set: TrainingSet, cutoff: str, split: str) -> list[Evidence]:
    """Return the evidence for and against the split; `split` is a condition that test rows meet."""
    from pyspark.sql import functions as F

    whole, spec = training_set.whole, training_set.spec
    out = {*spec.labels, *spec.exclude_columns}
    inputs = [name for name in whole.columns if name not in out]
    marked = whole.select(
        F.coalesce(F.expr(split), F.lit(False)).alias("test"),
        tables.column(cutoff).alias("cutoff"),
        F.xxhash64(*map(tables.column, dict.fromkeys([*inputs, cutoff]))).alias("inputs"),
    )
    kinds = marked.groupBy("inputs").agg(
        F.sum(F.col("test").cast("bigint")).alias("tests"),
        F.sum((~F.col("test")).cast("bigint")).alias("trains"),
        F.min(F.when(F.col("test"), F.col("cutoff"))).alias("first"),
        F.max(F.when(~F.col("test"), F.col("cutoff"))).alias("last"),
    )
    counted = kinds.agg(
        F.sum("tests").alias("tests"),
        F.sum("trains").alias("trains"),
        F.sum(F.when(F.col("trains") > 0, F.col("tests"))).alias("twice"),
        (F.max("last") >= F.min("first")).alias("overlap"),
    ).collect()[0]
    tests, trains = int(counted["tests"] or 0), int(counted["trains"] or 0)
    twice = int(counted["twice"] or 0)
    late = _late(marked) if counted["overlap"] else 0
    return [
        Evidence(
            feature=None,
            table=None,
            check="duplicates_across_split",
            measured=twice / tests if tests else 0.0,
            limit=0.0,
            leaking=twice > 0,
            rows=tests,
            reason=f"{twice:,} of {tests:,} test rows are training rows too",
        ),
        Evidence(
            feature=None,
            table=None,
            check="split_by_time",
            measured=late / trains if trains else 0.0,
            limit=0.0,
            leaking=late > 0,
            rows=trains,
            reason=f"{late:,} of {trains:,} training rows are not before the first test row",
        ),
    ]


def _late(marked: DataFrame) -> int:
    """Return how many training rows are not before the first test row."""
    from pyspark.sql import functions as F

    first = marked.where("test").agg(F.min("cutoff").alias("first"))
    return int(marked.where("not test").join(first, F.col("cutoff") >= F.col("first")).count())

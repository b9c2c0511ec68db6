"""Streams into Delta tables that have a key: each micro-batch is merged, so none counts twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from laketop.ml import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def merge_each_batch(table: str, keys: Sequence[str]) -> Callable[[DataFrame, int], None]:
    """Return the function for `foreachBatch` that merges a micro-batch into `table` by `keys`.

    Shapes: every micro-batch has one row a key, as the update mode of an aggregation gives it.
    A batch that is done again after an accident changes nothing more, so what the checkpoint
    promises at least once is there exactly once. The function needs nothing but pyspark where it
    runs, which may be another interpreter than the task's.
    Errors: Delta's own, such as that of a key that a batch holds twice.
    """
    name = tables.quoted(table)
    quoted = [tables.quoted_column(key) for key in keys]
    if not quoted:
        raise ValueError(f"the merge into {table!r} has no key")
    match = " AND ".join(f"t.{key} <=> s.{key}" for key in quoted)

    def merge(batch: DataFrame, number: int) -> None:
        view = f"micro_batch_{number}"
        batch.createOrReplaceTempView(view)
        batch.sparkSession.sql(
            f"MERGE INTO {name} AS t USING {view} AS s ON {match} "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        )

    return merge

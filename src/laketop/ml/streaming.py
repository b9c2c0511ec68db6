"""Streams into Delta tables that have a key: each micro-batch is merged, so none counts twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from laketop.ml import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamWriter

_LATE_WORKER = ("failed to connect back", "CANNOT_OPEN_SOCKET")


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


def start_stream(writer: DataStreamWriter, *, attempts: int = 5) -> StreamingQuery:
    """Start a stream, and again where the Python of its `foreachBatch` did not come up in time.

    Spark gives that Python ten seconds, which a busy machine may not; nothing has been read then.
    Errors: Spark's own, of the last attempt or of anything else.
    """
    from pyspark.errors import PySparkException

    for left in range(attempts - 1, -1, -1):
        try:
            return writer.start()
        except PySparkException as error:
            if not left or not any(text in str(error) for text in _LATE_WORKER):
                raise
    raise ValueError(f"attempts is {attempts!r}, less than 1")

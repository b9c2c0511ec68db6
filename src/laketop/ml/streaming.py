"""Streams into Delta tables that have a key: each micro-batch is merged, so none counts twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from laketop.ml import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery


def merging(
    df: DataFrame,
    table: str,
    keys: Sequence[str],
    *,
    trigger: Mapping[str, Any],
    checkpoint_location: str | None = None,
) -> StreamingQuery:
    """Start the query that merges the stream `df` into `table` by `keys`, and return it.

    `trigger` is what `DataStreamWriter.trigger` takes. Without a `checkpoint_location` the query
    begins anew each time that it is started.
    Errors: those of `merge_each_batch`; Spark's own.
    """
    writer = df.writeStream.outputMode("update").trigger(**trigger)
    if checkpoint_location is not None:
        writer = writer.option("checkpointLocation", checkpoint_location)
    return writer.foreachBatch(merge_each_batch(table, keys, df.columns)).start()


def merge_each_batch(
    table: str, keys: Sequence[str], columns: Sequence[str]
) -> Callable[[DataFrame, int], None]:
    """Return the function for `foreachBatch` that merges a micro-batch into `table` by `keys`.

    Shapes: a micro-batch has `columns`, the keys among them; no key is NULL or comes twice in
    one micro-batch. A batch that is done again after an accident changes nothing more, so what
    the checkpoint promises at least once is there exactly once. The function needs nothing but
    pyspark where it runs, which may be another interpreter than the task's.
    Errors: ValueError without a key; Spark's own, which ends the stream and names the key, for
    one that is NULL or comes twice: nothing of that micro-batch is written.
    """
    if not keys:
        raise ValueError(f"the merge into {table!r} has no key")
    views = f"micro_batch_{uuid.uuid4().hex}"  # of this stream, in a session that may hold more
    before, after = _source(table, keys)
    begin = f"MERGE INTO {tables.quoted(table)} AS t USING ({before}"
    end = f"{after}) AS s {tables.merge_clauses(keys, columns)}"

    def merge(batch: DataFrame, number: int) -> None:
        view = f"{views}_{number}"
        batch.createOrReplaceTempView(view)
        try:
            batch.sparkSession.sql(f"{begin}{view}{end}")
        finally:
            batch.sparkSession.catalog.dropTempView(view)

    return merge


def _source(table: str, keys: Sequence[str]) -> tuple[str, str]:
    """Return the query of a micro-batch whose keys are checked, before and after its name."""
    quoted = [tables.quoted_column(key) for key in keys]
    told = [tables.literal(f"the rows for {table!r} hold the key")]
    for key, name in zip(keys, quoted, strict=True):
        told += [tables.literal(f" {key}="), f"coalesce(CAST({name} AS STRING), 'NULL')"]
    null = " OR ".join(f"{name} IS NULL" for name in quoted)
    words = ", ".join(told)
    counted = f"*, count(*) OVER (PARTITION BY {', '.join(quoted)}) AS __rows"
    wrong = (
        f"CASE WHEN {null} THEN raise_error(concat({words})) "
        f"WHEN __rows > 1 THEN raise_error(concat({words}, ' more than once')) ELSE TRUE END"
    )
    return f"SELECT * EXCEPT (__rows) FROM (SELECT {counted} FROM ", f") WHERE {wrong}"

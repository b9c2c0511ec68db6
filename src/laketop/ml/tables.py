"""Small things that Delta tables need: names, versions, properties, a merge by keys."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from laketop.errors import NotFound

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame, Row, SparkSession

_NO_VERSION = 2**62
_GONE = "WHEN NOT MATCHED BY SOURCE THEN DELETE"


def quoted(name: str) -> str:
    """Return `name`, of one to three parts, as SQL writes it safely.

    >>> quoted("dev.flights.weather")
    '`dev`.`flights`.`weather`'
    """
    return ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))


def literal(text: str) -> str:
    r"""Return `text` as a SQL string literal.

    >>> literal("it's")
    "'it\\'s'"
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def to_pandas(df: DataFrame) -> pd.DataFrame:
    """Return the rows of `df` as a pandas frame that is quick to work with.

    Over Spark Connect `DataFrame.toPandas` hangs the metrics of the whole plan on the frame, as
    `attrs`, and pandas copies those deeply with every operation. They are left out here.
    """
    rows = df.toPandas()
    rows.attrs = {}
    return rows


@contextlib.contextmanager
def held(df: DataFrame) -> Iterator[DataFrame]:
    """Keep the rows of `df` for the block, so that what is asked of them computes them once.

    Serverless compute keeps none, and refuses to be asked: there they are computed each time.
    Source: Databricks docs, serverless compute limitations; the error is
    NOT_SUPPORTED_WITH_SERVERLESS.
    """
    from pyspark.errors import PySparkException

    try:
        kept = df.persist()
    except PySparkException as error:
        if "NOT_SUPPORTED_WITH_SERVERLESS" not in str(error):
            raise
        yield df
        return
    try:
        yield kept
    finally:
        kept.unpersist()


def exists(spark: SparkSession, name: str) -> bool:
    """Return whether a table or view of this name is there."""
    return bool(spark.catalog.tableExists(name))


def current_version(spark: SparkSession, name: str) -> int:
    """Return the newest version of the Delta table `name`, counted from 0.

    Errors: NotFound when there is no such table.
    """
    from pyspark.errors import PySparkException

    try:  # Delta tells it a version that cannot be there, in a tenth of the time of its history
        _ = at_version(spark, name, _NO_VERSION).schema
    except PySparkException as error:
        latest = (error.getMessageParameters() or {}).get("latest", "")
        if error.getCondition() == "DELTA_VERSION_NOT_FOUND" and latest.isdecimal():
            return int(latest)
    rows = _told(spark, name, f"DESCRIBE HISTORY {quoted(name)} LIMIT 1")
    if not rows:
        raise NotFound("version of the table", name)
    return int(rows[0]["version"])


def identifier(spark: SparkSession, name: str) -> str:
    """Return the id of the Delta table `name`, which stays the same for its whole life."""
    row = spark.sql(f"DESCRIBE DETAIL {quoted(name)}").first()
    if row is None:
        raise NotFound("detail of the table", name)
    return str(row["id"])


def at_version(spark: SparkSession, name: str, version: int) -> DataFrame:
    """Return the Delta table `name` as it was at `version`, however often it is read."""
    return spark.read.option("versionAsOf", int(version)).table(quoted(name))


def properties(spark: SparkSession, name: str) -> dict[str, str]:
    """Return the table properties of `name`.

    Errors: NotFound when there is no such table.
    """
    rows = _told(spark, name, f"SHOW TBLPROPERTIES {quoted(name)}")
    return {row["key"]: row["value"] for row in rows}


def set_properties(spark: SparkSession, name: str, values: Mapping[str, str]) -> None:
    """Set table properties of `name`; those not named stay as they are."""
    pairs = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in values.items())
    spark.sql(f"ALTER TABLE {quoted(name)} SET TBLPROPERTIES ({pairs})")


def unset_property(spark: SparkSession, name: str, key: str) -> None:
    """Remove a table property of `name`; one that is not there is no error."""
    spark.sql(f"ALTER TABLE {quoted(name)} UNSET TBLPROPERTIES IF EXISTS ({literal(key)})")


def provide(
    spark: SparkSession, name: str, columns: str, *, properties: Mapping[str, str] | None = None
) -> None:
    """Create the Delta table `name` if it is not there, and add the columns that it lacks.

    Shapes: `columns` is "a string, b double", simple types only. Rows that are there get NULL.
    """
    if not exists(spark, name):
        pairs = ", ".join(f"{literal(k)} = {literal(v)}" for k, v in (properties or {}).items())
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {quoted(name)} ({_declared(columns)}) USING delta"
            + (f" TBLPROPERTIES ({pairs})" if pairs else "")
        )
        return
    there = {column.lower() for column in spark.table(name).columns}
    missing = [c for c in columns.split(", ") if c.split(" ")[0].lower() not in there]
    if missing:
        added = _declared(", ".join(missing))
        spark.sql(f"ALTER TABLE {quoted(name)} ADD COLUMNS ({added})")


def _declared(columns: str) -> str:
    pairs = (column.split(" ", 1) for column in columns.split(", "))
    return ", ".join(f"{quoted_column(name)} {kind}" for name, kind in pairs)


def append(spark: SparkSession, name: str, df: DataFrame) -> None:
    """Append `df` to the Delta table `name`, which is created if it is not there.

    Columns are matched by name; a column that the table lacks is an error of Delta.
    """
    if exists(spark, name):
        df.writeTo(name).append()
    else:
        df.writeTo(name).using("delta").create()


def merge(spark: SparkSession, name: str, df: DataFrame, keys: Sequence[str]) -> None:
    """Update the rows of `name` whose `keys` are in `df`, insert the others.

    Shapes: `df` has one row a key, and any subset of the columns of `name` that holds the keys.
    Errors: ValueError when `df` holds a key twice or lacks a key column.
    """
    _check_keys(name, df, keys)
    merge_unique(spark, name, df, keys)


def mirror(spark: SparkSession, name: str, df: DataFrame, keys: Sequence[str]) -> None:
    """Let the Delta table `name` hold the rows of `df` and no others, in one commit.

    Rows of keys that `df` has no longer are deleted, which a merge would let stand.
    Shapes: `df` has one row a key, and the columns of `name` or some of them.
    Errors: as those of `merge`.
    """
    _check_keys(name, df, keys)
    _merge(spark, name, df, f"{merge_clauses(keys, df.columns)} {_GONE}")


def merge_unique(spark: SparkSession, name: str, df: DataFrame, keys: Sequence[str]) -> None:
    """Merge as `merge` does rows of which it is known that no key comes twice."""
    _merge(spark, name, df, merge_clauses(keys, df.columns))


def _merge(spark: SparkSession, name: str, df: DataFrame, clauses: str) -> None:
    view = f"merge_source_{uuid.uuid4().hex}"
    df.createOrReplaceTempView(view)
    try:
        spark.sql(f"MERGE INTO {quoted(name)} AS t USING {view} AS s {clauses}")
    finally:
        spark.catalog.dropTempView(view)


def _check_keys(name: str, df: DataFrame, keys: Sequence[str]) -> None:
    missing = [key for key in keys if key not in df.columns]
    if missing:
        raise ValueError(f"the rows for {name!r} lack the key columns {missing!r}")
    twice = df.groupBy(*keys).count().where("count > 1").first()
    if twice is not None:
        raise ValueError(f"the rows for {name!r} hold the key {twice.asDict()!r} more than once")


def merge_clauses(keys: Sequence[str], columns: Sequence[str]) -> str:
    """Return what MERGE does with rows `s` of these columns in the table `t`: update or insert."""
    named = [quoted_column(column) for column in columns]
    updated = [quoted_column(column) for column in columns if column not in keys]
    match = " AND ".join(f"t.{c} <=> s.{c}" for c in map(quoted_column, keys))
    update = ", ".join(f"t.{c} = s.{c}" for c in updated)
    return (
        f"ON {match} "
        + (f"WHEN MATCHED THEN UPDATE SET {update} " if update else "")
        + f"WHEN NOT MATCHED THEN INSERT ({', '.join(named)}) "
        + f"VALUES ({', '.join(f's.{c}' for c in named)})"
    )


def quoted_column(name: str) -> str:
    """Return one column name as SQL writes it safely, dots and all.

    >>> quoted_column("a.b")
    '`a.b`'
    """
    return f"`{name.replace('`', '``')}`"


def column(name: str) -> Column:
    """Return the column of this name, whose dots lead into nothing."""
    from pyspark.sql import functions as F

    return F.col(quoted_column(name))


def _told(spark: SparkSession, name: str, statement: str) -> list[Row]:
    from pyspark.errors import AnalysisException

    try:
        return list(spark.sql(statement).collect())
    except AnalysisException as error:
        if exists(spark, name):
            raise
        raise NotFound("table", name) from error

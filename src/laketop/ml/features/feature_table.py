"""Feature tables: Delta tables that know their keys, and how rows get into them.

Keys and tags are table properties (`feature.primary_keys`, `feature.timeseries_column`,
`feature.tag.<key>`), so the same code runs where a constraint cannot say TIMESERIES. A table that
was made in SQL is a feature table too, by its PRIMARY KEY.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from laketop.errors import NotFound
from laketop.ml import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

PRIMARY_KEYS = "feature.primary_keys"
TIMESERIES_COLUMN = "feature.timeseries_column"
PARTITIONS = "feature.partition_columns"
TAG = "feature.tag."
TIMES = frozenset({"timestamp", "timestamp_ntz", "date"})

_PRIMARY_KEY = re.compile(r"PRIMARY KEY\s*\(([^)]*)\)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """What is known of a feature table: its keys, without the time, and its time column."""

    name: str
    primary_keys: tuple[str, ...]
    timeseries_column: str | None = None
    description: str = ""
    features: tuple[str, ...] = ()
    partition_columns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key with the time as its last column."""
        time = self.timeseries_column
        return self.primary_keys if time is None else (*self.primary_keys, time)

    def over(self, columns: Sequence[str]) -> FeatureTable:
        """Return the table with its features: those of its `columns` that are no key."""
        return replace(self, features=tuple(name for name in columns if name not in self.keys))

    @property
    def timestamp_keys(self) -> tuple[str, ...]:
        """The time column in a tuple, which is empty for a table without time."""
        return () if self.timeseries_column is None else (self.timeseries_column,)


def found(spark: SparkSession, name: str) -> FeatureTable:
    """Return what is known of the feature table `name`.

    Errors: NotFound when there is no such table, or when it has no primary key.
    """
    table = keyed(spark, name).over(spark.table(name).columns)
    return replace(table, description=spark.catalog.getTable(name).description or "")


def keyed(spark: SparkSession, name: str) -> FeatureTable:
    """Return what `found` does, but for features and description.

    One statement tells it where the keys are properties: training sets look at many tables.
    Errors: those of `found`.
    """
    kept = tables.properties(spark, name)
    if PRIMARY_KEYS in kept:
        keys, time = tuple(json.loads(kept[PRIMARY_KEYS])), kept.get(TIMESERIES_COLUMN)
    else:
        keys, time = _constraint(spark, name)
    return FeatureTable(
        name=name,
        primary_keys=keys,
        timeseries_column=time,
        partition_columns=tuple(json.loads(kept.get(PARTITIONS, "[]"))),
        tags={k.removeprefix(TAG): v for k, v in kept.items() if k.startswith(TAG)},
    )


def _constraint(spark: SparkSession, name: str) -> tuple[tuple[str, ...], str | None]:
    row = spark.sql(f"SHOW CREATE TABLE {tables.quoted(name)}").first()
    told = _PRIMARY_KEY.search("" if row is None else str(row[0]))
    if told is None:
        raise NotFound(
            "feature table", name, hint="make it with create_table, or give it a PRIMARY KEY"
        )
    return primary_key(told[1])


def primary_key(columns: str) -> tuple[tuple[str, ...], str | None]:
    """Return the keys, without the time, and the time that a PRIMARY KEY clause names.

    >>> primary_key("`origin`, ts TIMESERIES")
    (('origin',), 'ts')
    """
    keys, time = [], None
    for column in columns.split(","):
        name, _, rest = column.strip().partition(" ")
        name = name.strip("`")
        if "TIMESERIES" in rest.upper().split():
            time = name
        else:
            keys.append(name)
    return tuple(keys), time


def defined(
    name: str,
    schema: StructType,
    *,
    keys: Sequence[str],
    times: Sequence[str],
    partitions: Sequence[str] = (),
) -> FeatureTable:
    """Return the feature table that these arguments of `create_table` ask for.

    Errors: ValueError for columns that `schema` lacks, two times, a time of another type, or
    partitions of a time series table.
    """
    if len(times) > 1:
        raise ValueError(f"the feature table {name!r} has {list(times)!r}, more than one time")
    if not keys:
        raise ValueError(f"the feature table {name!r} has no primary_keys")
    missing = [key for key in (*keys, *times, *partitions) if key not in schema.names]
    if missing:
        raise ValueError(f"the feature table {name!r} lacks the columns {missing!r}")
    time = times[0] if times else None
    if time is not None and schema[time].dataType.typeName() not in TIMES:
        kind = schema[time].dataType.simpleString()
        raise ValueError(
            f"the time series column {time!r} of {name!r} is {kind}, neither a timestamp nor a date"
        )
    if time is not None and partitions:
        raise ValueError(f"the time series table {name!r} takes no partition_columns")
    return FeatureTable(
        name=name,
        primary_keys=tuple(key for key in keys if key != time),
        timeseries_column=time,
        features=tuple(n for n in schema.names if n not in {*keys, time}),
        partition_columns=tuple(partitions),
    )


def create(spark: SparkSession, table: FeatureTable, schema: StructType) -> None:
    """Create the empty Delta table, its key columns NOT NULL."""
    columns = ", ".join(
        f"{tables.quoted_column(column.name)} {column.dataType.simpleString()}"
        + (" NOT NULL" if column.name in table.keys else "")
        for column in schema.fields
    )
    values = {PRIMARY_KEYS: json.dumps(table.primary_keys)}
    if table.timeseries_column is not None:
        values[TIMESERIES_COLUMN] = table.timeseries_column
    if table.partition_columns:
        values[PARTITIONS] = json.dumps(table.partition_columns)
    values |= {TAG + key: value for key, value in table.tags.items()}
    pairs = ", ".join(f"{tables.literal(k)} = {tables.literal(v)}" for k, v in values.items())
    comment = f" COMMENT {tables.literal(table.description)}" if table.description else ""
    parts = ", ".join(map(tables.quoted_column, table.partition_columns))
    partitioned = f" PARTITIONED BY ({parts})" if parts else ""
    spark.sql(
        f"CREATE TABLE {tables.quoted(table.name)} ({columns}) USING DELTA{partitioned}{comment} "
        f"TBLPROPERTIES ({pairs})"
    )


def check_rows(spark: SparkSession, table: FeatureTable, df: DataFrame) -> None:
    """Check that `df` can be merged into `table`, without reading a row.

    Errors: ValueError for a key that is missing, for columns that the table does not have or has
    in another type, and for features that a time series table would miss.
    """
    schema = spark.table(table.name).schema
    unknown = [name for name in df.columns if name not in schema.names]
    if unknown:
        raise ValueError(f"the feature table {table.name!r} has no columns {unknown!r}")
    missing = [key for key in table.keys if key not in df.columns]
    if missing:
        raise ValueError(f"the rows for {table.name!r} lack the key columns {missing!r}")
    for key in table.keys:
        given, wanted = df.schema[key].dataType, schema[key].dataType
        if given != wanted:
            raise ValueError(
                f"the key {key!r} of {table.name!r} is {wanted.simpleString()}, but the rows "
                f"have it as {given.simpleString()}"
            )
    lacking = [name for name in schema.names if name not in df.columns]
    if table.timeseries_column is not None and lacking:
        raise ValueError(f"rows for the time series table {table.name!r} lack {lacking!r}")


def check_keys(table: FeatureTable, df: DataFrame) -> None:
    """Check that no key of `df` is NULL or comes twice, in one pass over its rows.

    Errors: ValueError that names the first such key.
    """
    from pyspark.sql import functions as F

    null = F.lit(False)
    for key in table.keys:
        null = null | tables.column(key).isNull()
    columns = [tables.column(key) for key in table.keys]
    counted = df.groupBy(*columns).agg(F.count("*").alias("__rows"))
    wrong = counted.where((F.col("__rows") > 1) | null).first()
    if wrong is None:
        return
    held = {name: wrong[name] for name in table.keys}
    if None in held.values():
        raise ValueError(f"the rows for {table.name!r} hold NULL in the key {held!r}")
    raise ValueError(f"the rows for {table.name!r} hold the key {held!r} more than once")

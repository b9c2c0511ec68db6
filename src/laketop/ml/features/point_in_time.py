"""Joins of a frame with feature tables, each row as of its own time, as one Spark plan.

As-of: the row with the greatest time at or before the moment of asking, and not before the
moment minus the lookback window, both ends included. A row that holds NULL features counts as it
is; a NULL key or moment finds nothing; rows of a feature table without a time are never found. A
feature table that holds a key (with its time) twice is an error of the job, which names it. No row
of the frame is lost or doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from laketop.ml import tables
from laketop.ml.features.spec import ResolvedLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

Pair = tuple[ResolvedLookup, "DataFrame"]
_UNIONS_KEEP_PARTITIONS: Final = (4, 1)


def joined(df: DataFrame, pairs: Sequence[Pair]) -> DataFrame:
    """Return `df` with the features of these lookups in the tables beside them.

    Shapes: the columns of `df`, then the outputs of the lookups, in order.
    """
    names = df.columns
    wanted = [*names, *(name for lookup, _ in pairs for name in lookup.outputs)]
    asking: dict[tuple[str, ...], dict[str, list[Pair]]] = {}
    for lookup, source in pairs:
        if lookup.timestamp_lookup_key is None:
            df = _equal_join(df, names, lookup, source)
            names = [*names, *lookup.outputs]
        else:
            by_time = asking.setdefault(lookup.lookup_key, {})
            by_time.setdefault(lookup.timestamp_lookup_key, []).append((lookup, source))
    for keys, by_time in asking.items():
        df, names = _as_of_joins(df, names, keys, by_time)
    return df if names == wanted else df.select(*(column(name, names) for name in wanted))


def _width(pairs: Sequence[Pair]) -> int:
    return sum(len(lookup.outputs) for lookup, _ in pairs)


def column(name: str, names: Sequence[str]) -> Any:
    """Return a column by its name among `names`, or a field of a struct by its path."""
    from pyspark.sql import functions as F

    if name in names:
        return tables.column(name)
    return F.col(tables.quoted(name))


def _outputs(lookup: ResolvedLookup, match: Any, schema: StructType) -> list[Any]:
    from pyspark.sql import functions as F

    columns = []
    for feature in lookup.feature_names:
        value = match.getField(feature)
        if feature in lookup.default_values:
            default = F.lit(lookup.default_values[feature]).cast(schema[feature].dataType)
            value = F.coalesce(value, default)
        columns.append(value.alias(lookup.rename_outputs.get(feature, feature)))
    return columns


def _equal_join(
    df: DataFrame, columns: Sequence[str], lookup: ResolvedLookup, source: DataFrame
) -> DataFrame:
    from pyspark.sql import functions as F

    free = _free(columns)
    names = [f"{free}key_{i}" for i in range(len(lookup.primary_keys))]
    match = f"{free}match"
    features = F.struct(*(tables.column(name) for name in lookup.feature_names))
    rows = source.select(*_named(lookup.primary_keys, names), features.alias(match))
    right = rows.groupBy(*names).agg(
        F.when(F.count("*") > 1, _twice(lookup, names)).otherwise(F.first(match)).alias(match)
    )
    pairs = zip(lookup.lookup_key, names, strict=True)
    on = [column(asked, columns) == F.col(name) for asked, name in pairs]
    return df.join(right, on, "left").select(
        *(tables.column(name) for name in columns),
        *_outputs(lookup, F.col(match), source.schema),
    )


def _free(columns: Sequence[str]) -> str:
    """Return what no column begins with; Spark takes capital and small letters for the same."""
    start = "__"
    while any(name.lower().startswith(start) for name in columns):
        start += "_"
    return start


def _as_of_joins(
    df: DataFrame,
    columns: Sequence[str],
    keys: Sequence[str],
    by_time: Mapping[str, Sequence[Pair]],
) -> tuple[DataFrame, list[str]]:
    # Columns of the frame and what is found go by their place, so that no name is in the way; as
    # one struct they would cost more. The narrowest pass is the first, as what it finds is carried
    # through every other.
    passes = sorted(by_time.items(), key=lambda told: _width(told[1]))
    names = [f"__key_{i}" for i in range(len(keys))]
    places = [f"__column_{i}" for i in range(len(columns))]
    by_key = _by_key(df, names) if len(passes) > 1 else _as_it_is
    asked_by = (column(key, columns).alias(name) for key, name in zip(keys, names, strict=True))
    found = by_key(df.select(*asked_by, *_named(columns, places)))
    kept, outputs = [*names, *places], dict[str, str]()
    for asked, pairs in passes:
        sides = [by_key(_told(lookup, source, names)) for lookup, source in pairs]
        time = _placed(asked, columns, places)
        told = [name for lookup, _ in pairs for name in lookup.outputs]
        made = [f"__output_{len(outputs) + i}" for i in range(len(told))]
        found = _carried(found, time, pairs, sides, kept=kept, made=made)
        outputs |= dict(zip(made, told, strict=True))
        kept += made
    return found.select(*_named([*places, *outputs], [*columns, *outputs.values()])), [
        *columns,
        *outputs.values(),
    ]


def _by_key(df: DataFrame, names: Sequence[str]) -> Callable[[DataFrame], DataFrame]:
    # Several passes by the same keys shuffle the frame once, and a feature table that is asked
    # twice, too: Spark knows since 4.1 that a union of sides that are partitioned alike is so.
    spark = df.sparkSession
    number = spark.conf.get("spark.sql.shuffle.partitions") or ""
    version = tuple(int(part) for part in spark.version.split(".")[:2])
    if version < _UNIONS_KEEP_PARTITIONS or not number.isdecimal():
        return _as_it_is
    return lambda side: side.repartition(int(number), *names)


def _as_it_is(side: DataFrame) -> DataFrame:
    return side


def _placed(name: str, columns: Sequence[str], places: Sequence[str]) -> Any:
    from pyspark.sql import functions as F

    if name in columns:
        return F.col(places[columns.index(name)])
    head, _, path = name.partition(".")
    return F.col(f"{places[columns.index(head)]}.{tables.quoted(path)}")


def _carried(
    df: DataFrame,
    time: Any,
    pairs: Sequence[Pair],
    sides: Sequence[DataFrame],
    *,
    kept: Sequence[str],
    made: Sequence[str],
) -> DataFrame:
    # All sides in one column of time, sorted within each key; the last row of each feature table
    # is carried forward. A feature row sorts before an asking row of the same moment, so `<=`
    # holds, and as a struct it keeps the NULLs inside it. One shuffle by key for all tables that
    # are asked by the same columns, never a product of the sides.
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    keys = [name for name in kept if name.startswith("__key_")]
    both = df.withColumns({"__time": time, "__side": F.lit(len(pairs))})
    matches = [f"__match_{side}" for side in range(len(pairs))]
    for side, (name, told) in enumerate(zip(matches, sides, strict=True)):
        sided = told.withColumn("__side", F.lit(side)).withColumnRenamed("__match", name)
        both = both.unionByName(sided, allowMissingColumns=True)
    window = Window.partitionBy(*keys).orderBy("__time", "__side")
    so_far = window.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    found = {name: F.last(name, ignorenulls=True).over(so_far) for name in matches}
    # Rows of one side and one moment share their rank; it is told in the same pass as the matches.
    twin = F.row_number().over(window) > F.rank().over(window)
    usable, outputs = {}, []
    for name, (lookup, source) in zip(matches, pairs, strict=True):
        kind = source.schema[lookup.timeseries_column or ""].dataType.typeName()
        usable[name] = F.when(_usable(lookup, name, keys, kind), F.col(name))
        outputs.extend(_outputs(lookup, F.col(name), source.schema))
    return (
        both.withColumns({**found, "__twin": twin})
        .where(_asking([lookup for lookup, _ in pairs], keys))
        .withColumns(usable)
        .select(*kept, *(value.alias(name) for value, name in zip(outputs, made, strict=True)))
    )


def _told(lookup: ResolvedLookup, source: DataFrame, names: Sequence[str]) -> DataFrame:
    from pyspark.sql import functions as F

    time = tables.column(lookup.timeseries_column or "")
    features = (tables.column(name) for name in lookup.feature_names)
    return source.where(time.isNotNull()).select(
        *_named(lookup.primary_keys, names),
        time.alias("__time"),
        F.struct(time.alias("__since"), *features).alias("__match"),
    )


def _asking(lookups: Sequence[ResolvedLookup], names: Sequence[str]) -> Any:
    """Keep the rows that ask; a row of a feature table that has a twin is an error."""
    from pyspark.sql import functions as F

    asks = F.col("__side") == len(lookups)
    kept = asks
    for side, lookup in enumerate(lookups):
        twin = F.col("__twin") & (F.col("__side") == side)
        kept = F.when(twin, _twice(lookup, [*names, "__time"]).cast("boolean")).otherwise(kept)
    return kept


def _twice(lookup: ResolvedLookup, names: Sequence[str]) -> Any:
    from pyspark.sql import functions as F

    keys = (*lookup.primary_keys, *((lookup.timeseries_column,) * ("__time" in names)))
    told = [F.lit(f"the feature table '{lookup.table}' holds the key")]
    for key, name in zip(keys, names, strict=True):
        told += [F.lit(f" {key}="), F.coalesce(F.col(name).cast("string"), F.lit("NULL"))]
    return F.raise_error(F.concat(*told, F.lit(" more than once")))


def _usable(lookup: ResolvedLookup, match: str, names: Sequence[str], kind: str) -> Any:
    from pyspark.sql import functions as F

    usable = F.col("__time").isNotNull()
    for name in names:
        usable = usable & F.col(name).isNotNull()
    if lookup.lookback_seconds is not None:
        age = _age(F.col("__time"), F.col(match).getField("__since"), kind)
        usable = usable & (age <= round(lookup.lookback_seconds * 1_000_000))
    return usable


def _age(asked: Any, since: Any, kind: str) -> Any:
    # In microseconds. Intervals of Spark would count days of the session's time zone, which are
    # 23 or 25 hours long when the clocks change.
    from pyspark.sql import functions as F

    if kind == "date":
        return F.date_diff(asked, since).cast("bigint") * 86_400_000_000
    if kind == "timestamp_ntz":
        return F.timestamp_diff("MICROSECOND", since, asked)
    return F.unix_micros(asked) - F.unix_micros(since)


def _named(keys: Sequence[str], names: Sequence[str]) -> list[Any]:
    return [tables.column(key).alias(name) for key, name in zip(keys, names, strict=True)]

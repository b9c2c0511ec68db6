"""Joins of a frame with feature tables, each row as of its own time, as one Spark plan.

As-of: the row with the greatest time at or before the moment of asking, and not before the
moment minus the lookback window, both ends included. A row that holds NULL features counts as it
is; a NULL key or moment finds nothing; rows of a feature table without a time are never found. A
feature table that holds a key (with its time) twice is an error of the job, which names it. No row
of the frame is lost or doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from laketop.ml import tables
from laketop.ml.features.spec import ResolvedLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

Pair = tuple[ResolvedLookup, "DataFrame"]


def joined(df: DataFrame, pairs: Sequence[Pair]) -> DataFrame:
    """Return `df` with the features of these lookups in the tables beside them.

    Shapes: the columns of `df`, then the outputs of the lookups, in order.
    """
    names = df.columns
    wanted = [*names, *(name for lookup, _ in pairs for name in lookup.outputs)]
    groups: dict[tuple[tuple[str, ...], str], list[Pair]] = {}
    for lookup, source in pairs:
        if lookup.timestamp_lookup_key is None:
            df = _equal_join(df, names, lookup, source)
            names = [*names, *lookup.outputs]
        else:
            key = lookup.lookup_key, lookup.timestamp_lookup_key
            groups.setdefault(key, []).append((lookup, source))
    # The narrowest first, as what was found is carried through every join after it.
    for (keys, asked), group in sorted(groups.items(), key=lambda told: _width(told[1])):
        df = _as_of_join(df, names, group, keys=keys, asked=asked)
        names = [*names, *(name for lookup, _ in group for name in lookup.outputs)]
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

    names = [f"__key_{i}" for i in range(len(lookup.primary_keys))]
    features = F.struct(*(tables.column(name) for name in lookup.feature_names))
    rows = source.select(*_named(lookup.primary_keys, names), features.alias("__match"))
    right = rows.groupBy(*names).agg(
        F.when(F.count("*") > 1, _twice(lookup, names)).otherwise(F.first("__match")).alias("__m")
    )
    pairs = zip(lookup.lookup_key, names, strict=True)
    on = [column(asked, columns) == F.col(name) for asked, name in pairs]
    return df.join(right, on, "left").select(
        *(tables.column(name) for name in columns),
        *_outputs(lookup, F.col("__m"), source.schema),
    )


def _as_of_join(
    df: DataFrame,
    columns: Sequence[str],
    pairs: Sequence[Pair],
    *,
    keys: Sequence[str],
    asked: str,
) -> DataFrame:
    # All sides in one column of time, sorted within each key; the last row of each feature table
    # is carried forward. A feature row sorts before an asking row of the same moment, so `<=`
    # holds, and as a struct it keeps the NULLs inside it. One shuffle by key for all tables that
    # are asked by the same columns, never a product of the sides. The columns of the frame go by
    # their place, so that no name of theirs is in the way; as one struct they would cost more.
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    names = [f"__key_{i}" for i in range(len(keys))]
    places = [f"__column_{i}" for i in range(len(columns))]
    both = df.select(
        *(column(key, columns).alias(name) for key, name in zip(keys, names, strict=True)),
        column(asked, columns).alias("__time"),
        F.lit(len(pairs)).alias("__side"),
        *_named(columns, places),
    )
    for side, (lookup, source) in enumerate(pairs):
        both = both.unionByName(_told(lookup, source, names, side=side), allowMissingColumns=True)
    sides = Window.partitionBy(*names).orderBy("__time", "__side")
    so_far = sides.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    matches = [f"__match_{side}" for side in range(len(pairs))]
    found = {name: F.last(name, ignorenulls=True).over(so_far) for name in matches}
    # Rows of one side and one moment share their rank; it is told in the same pass as the matches.
    twin = F.row_number().over(sides) > F.rank().over(sides)
    usable, outputs = {}, []
    for name, (lookup, source) in zip(matches, pairs, strict=True):
        kind = source.schema[lookup.timeseries_column or ""].dataType.typeName()
        usable[name] = F.when(_usable(lookup, name, names, kind), F.col(name))
        outputs.extend(_outputs(lookup, F.col(name), source.schema))
    return (
        both.withColumns({**found, "__twin": twin})
        .where(_asking([lookup for lookup, _ in pairs], names))
        .withColumns(usable)
        .select(*_named(places, columns), *outputs)
    )


def _told(
    lookup: ResolvedLookup, source: DataFrame, names: Sequence[str], *, side: int
) -> DataFrame:
    from pyspark.sql import functions as F

    time = tables.column(lookup.timeseries_column or "")
    features = (tables.column(name) for name in lookup.feature_names)
    return source.where(time.isNotNull()).select(
        *_named(lookup.primary_keys, names),
        time.alias("__time"),
        F.lit(side).alias("__side"),
        F.struct(time.alias("__since"), *features).alias(f"__match_{side}"),
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

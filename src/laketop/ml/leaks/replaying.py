"""Make features again with the future hidden: what changes has known it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING

from laketop.ml import tables
from laketop.ml.evidence import Evidence

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row

Make = Callable[["DataFrame"], "DataFrame"]
"""Makes features from a source, as a job does that refreshes them."""

CHECK = "changes_without_the_future"
_SAME = 1e-9  # relative: sums of other rows may be rounded otherwise


def replay(
    make: Make,
    source: DataFrame,
    *,
    known: str,
    keys: Sequence[str],
    time: str,
    cutoffs: Sequence[datetime],
    hidden: Sequence[str] = (),
    table: str | None = None,
) -> tuple[Evidence, ...]:
    """Return whether the features up to each cut-off are made without what came after it.

    They are made from the whole source, and from the source without the rows that were known
    after the cut-off; or, with `hidden`, with NULL in these columns of such rows, when the rest of
    a row is known before, as a schedule is. A feature row counts as changed when a value is
    another, or the row is there only with the future.
    Shapes: `known` is a SQL expression over the source, the moment from which a row is known, NULL
    for never; `make` returns a row for each of `keys` and `time`, and features. `table` is told in
    the evidence, one a feature.
    Errors: ValueError without a cut-off, for columns that `make` does not return, for a cut-off
    after which nothing is known or up to which there are no features: it would prove nothing.
    """
    from pyspark.sql import functions as F

    whole = make(source)
    features = [name for name in whole.columns if name not in {*keys, time}]
    missing = [name for name in (*keys, time) if name not in whole.columns]
    if missing or not features or not cutoffs:
        raise ValueError(
            f"a replay needs cut-offs, features and the columns {[*keys, time]!r}; "
            f"{len(cutoffs)} cut-offs, features {features!r}, missing {missing!r}"
        )
    counted = [
        _counted(
            (whole, make(_without_future(source, known, cutoff, hidden))),
            source.where(F.expr(known) > F.lit(cutoff)),
            by=(keys, time),
            features=features,
            cutoff=cutoff,
        ).withColumn("number", F.lit(number))
        for number, cutoff in enumerate(cutoffs)
    ]
    rows = sorted(reduce(lambda a, b: a.unionByName(b), counted).collect(), key=_number)
    for cutoff, row in zip(cutoffs, rows, strict=True):
        if not row["rows"] or not row["future"]:
            raise ValueError(
                f"a replay at {cutoff} proves nothing: {row['rows']} feature rows up to it, "
                f"{row['future']} rows of the source after it"
            )
    return tuple(_evidence(name, f"n{i}", rows, table=table) for i, name in enumerate(features))


def _without_future(
    source: DataFrame, known: str, cutoff: datetime, hidden: Sequence[str]
) -> DataFrame:
    from pyspark.sql import functions as F

    is_known = F.coalesce(F.expr(known) <= F.lit(cutoff), F.lit(False))
    if not hidden:
        return source.where(is_known)
    return source.withColumns({name: F.when(is_known, tables.column(name)) for name in hidden})


def _counted(
    both: tuple[DataFrame, DataFrame],
    future: DataFrame,
    *,
    by: tuple[Sequence[str], str],
    features: Sequence[str],
    cutoff: datetime,
) -> DataFrame:
    """Return one row: the rows of the features and of the future, and how many rows differ."""
    from pyspark.sql import functions as F

    keys, time = by
    names = [f"__key_{i}" for i in range(len(keys) + 1)]
    sides = []
    for side, df in zip("ab", both, strict=True):
        values = [tables.column(name).alias(f"{side}{i}") for i, name in enumerate(features)]
        places = [tables.column(k).alias(n) for k, n in zip((*keys, time), names, strict=True)]
        told = df.where(tables.column(time) <= F.lit(cutoff))
        sides.append(told.select(*places, *values, F.lit(True).alias(side)))
    is_alone = F.col("a").isNull() | F.col("b").isNull()
    kinds = [both[0].schema[name].dataType.typeName() for name in features]
    changed = [
        F.sum(
            (is_alone | ~_same(f"a{i}", f"b{i}", number=kind in {"double", "float"})).cast("bigint")
        ).alias(f"n{i}")
        for i, kind in enumerate(kinds)
    ]
    found = sides[0].join(sides[1], names, "full").agg(F.count("*").alias("rows"), *changed)
    return found.crossJoin(future.agg(F.count("*").alias("future")))


def _same(left: str, right: str, *, number: bool) -> Column:
    from pyspark.sql import functions as F

    a, b = F.col(left), F.col(right)
    if not number:
        return a.eqNullSafe(b)
    return a.eqNullSafe(b) | F.coalesce(F.abs(a - b) <= _SAME * F.abs(a), F.lit(False))


def _evidence(feature: str, name: str, rows: Sequence[Row], *, table: str | None) -> Evidence:
    total, changed = sum(row["rows"] for row in rows), sum(row[name] for row in rows)
    return Evidence(
        feature=feature,
        table=table,
        check=CHECK,
        measured=changed / total,
        limit=0.0,
        leaking=changed > 0,
        rows=total,
        reason=f"{changed:,} of {total:,} rows are otherwise when what came later is hidden",
    )


def _number(row: Row) -> int:
    return int(row["number"])

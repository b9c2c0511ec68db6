"""Features whose times lie after the cut-off of their row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from laketop.ml import tables
from laketop.ml.evidence import Evidence
from laketop.ml.features.point_in_time import joined
from laketop.ml.features.spec import ResolvedLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TIMES = {"timestamp", "timestamp_ntz", "date"}
"""Types that say when; Spark compares each with each, a date as the midnight that it begins at."""

Pair = tuple[ResolvedLookup, "DataFrame"]


@dataclass(frozen=True)
class _Time:
    """A column that must not be after the cut-off, and the features that it speaks of."""

    column: str
    features: tuple[str, ...]
    table: str | None
    told: str


def after_cutoff(
    whole: DataFrame, pairs: Sequence[Pair], *, own: Sequence[str], cutoff: str
) -> list[Evidence]:
    """Return the evidence of times: those of look-ups, of their tables' rows, and features' own.

    Shapes: `own` are the features that are not looked up; the times among them are asked.
    """
    from pyspark.sql import functions as F

    asked, df = _with_times(whole, pairs)
    asked += [
        _Time(name, (name,), None, "the time that it is")
        for name in own
        if name != cutoff and whole.schema[name].dataType.typeName() in TIMES
    ]
    late = [
        F.coalesce(
            F.sum((tables.column(x.column) > tables.column(cutoff)).cast("bigint")), F.lit(0)
        ).alias(f"n{number}")
        for number, x in enumerate(asked)
    ]
    counted = df.agg(F.count("*").alias("rows"), *late).collect()[0]
    rows = int(counted["rows"])
    return [
        _evidence(name, x, after=int(counted[f"n{number}"]), rows=rows, cutoff=cutoff)
        for number, x in enumerate(asked)
        for name in x.features
    ]


def _evidence(feature: str, time: _Time, *, after: int, rows: int, cutoff: str) -> Evidence:
    return Evidence(
        feature=feature,
        table=time.table,
        check="after_cutoff",
        measured=after / rows if rows else 0.0,
        limit=0.0,
        leaking=after > 0,
        rows=rows,
        reason=f"{time.told} is later than {cutoff!r} in {after:,} of {rows:,} rows",
    )


def _with_times(whole: DataFrame, pairs: Sequence[Pair]) -> tuple[list[_Time], DataFrame]:
    """Return the times of look-ups and of the rows that they find, and the frame of these."""
    asked: list[_Time] = []
    wanted: list[Pair] = []
    for number, (lookup, source) in enumerate(pairs):
        if lookup.timestamp_lookup_key is not None:
            told = f"the time {lookup.timestamp_lookup_key!r} that it is looked up by"
            asked.append(_Time(lookup.timestamp_lookup_key, lookup.outputs, lookup.table, told))
        keys = {*lookup.primary_keys, lookup.timeseries_column}
        times = [
            field.name
            for field in source.schema.fields
            if field.dataType.typeName() in TIMES and field.name not in keys
        ]
        names = {time: f"__time_{number}_{time}" for time in times}
        if times:
            found = replace(
                lookup, feature_names=tuple(times), rename_outputs=names, default_values={}
            )
            wanted.append((found, source))
            asked += [
                _Time(names[time], lookup.outputs, lookup.table, f"{time!r} of its row")
                for time in times
            ]
    return asked, joined(whole, wanted) if wanted else whole

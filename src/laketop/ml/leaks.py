"""Find features of a training set that know more than the moment of prediction allowed.

Four checks, each a row of evidence a feature or split:

`after_cutoff`: the share of rows whose feature was looked up, or holds a time of its own, later
than the row's cut-off. Times of their own are the TIMESTAMP columns of the feature table that are
no key (`last_departure_at`): the newest event that went into the row.
`vanishes_when_lagged`: how much of the feature's rank correlation with the label is left when it is
looked up a little earlier. An honest feature fades, one that holds the answer is gone.
`duplicates_across_split`: the share of test rows whose inputs and cut-off a training row has too.
`split_by_time`: the share of training rows whose cut-off is not before the first of the test rows.

```python
evidence = leaks.find(spark, training_set, cutoff="known_at", split="month > '2013-03'")
leaks.record(spark, "dev.flights", evidence)
leaks.require(evidence)
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from laketop.errors import GateFailed
from laketop.ml import tables
from laketop.ml.evidence import Evidence
from laketop.ml.features.point_in_time import joined
from laketop.ml.features.spec import ResolvedLookup

__all__ = ["Evidence", "find", "leaking", "record", "require"]

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from laketop.ml.features import TrainingSet

TABLE = "leak_evidence"
COLUMNS = (
    "feature string, table string, check string, measured double, limit double, leaking boolean, "
    "rows bigint, reason string"
)
STRONG = 0.1  # rank correlation from which on vanishing means something
SAMPLE = 50_000  # rows, for rank correlations

Pair = tuple[ResolvedLookup, "DataFrame"]


def find(
    spark: SparkSession,
    training_set: TrainingSet,
    *,
    cutoff: str,
    split: str | None = None,
    lag: timedelta | None = timedelta(hours=1),
    vanished: float = 0.25,
) -> tuple[Evidence, ...]:
    """Return the evidence for and against each looked-up feature of `training_set`.

    Shapes: `cutoff` is a column of the frame, the moment after which nothing may be known;
    `split` a SQL condition on its columns that holds for the test rows. Features are compared
    `lag` earlier, and have vanished when less than the share `vanished` of their correlation is
    left. Labels must be numbers for that check; without a label or a `lag` it is left out.
    Errors: ValueError when there is no column `cutoff`.
    """
    whole = training_set.whole
    if cutoff not in whole.columns:
        raise ValueError(f"the training set has no column {cutoff!r} to be the cut-off")
    pairs = [
        (lookup, tables.at_version(spark, lookup.table, lookup.version))
        for lookup in training_set.spec.lookups
        if lookup.version is not None
    ]
    found = _after_cutoff(whole, pairs, cutoff)
    labels = training_set.spec.labels
    timed = [pair for pair in pairs if pair[0].timestamp_lookup_key is not None]
    if labels and timed and lag is not None:
        found += _vanishing(whole, timed, label=labels[0], lag=lag, least=vanished)
    if split is not None:
        found += _across_split(training_set, cutoff, split)
    return tuple(found)


def leaking(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the features that leak, "(split)" for the split, in order, once each."""
    return tuple(dict.fromkeys(x.feature or "(split)" for x in evidence if x.leaking))


def record(spark: SparkSession, schema: str, evidence: Sequence[Evidence]) -> None:
    """Append the evidence to the table `leak_evidence` of `schema`, which has COLUMNS."""
    rows = [tuple(asdict(x).values()) for x in evidence]
    tables.append(spark, f"{schema}.{TABLE}", spark.createDataFrame(rows, COLUMNS))


def require(evidence: Sequence[Evidence]) -> None:
    """Raise GateFailed, its hint the reason, for the first evidence of a leak."""
    for x in evidence:
        if x.leaking:
            gate = f"leaks: {x.check} of {x.feature or 'the split'}"
            raise GateFailed(gate, measured=x.measured, limit=x.limit, hint=x.reason)


def _after_cutoff(whole: DataFrame, pairs: Sequence[Pair], cutoff: str) -> list[Evidence]:
    from pyspark.sql import functions as F

    asked, df = _with_own_times(whole, pairs)
    late = {
        f"n{number}": F.coalesce(
            F.sum((_plain(name) > _plain(cutoff)).cast("bigint")), F.lit(0)
        ).alias(f"n{number}")
        for number, (_, name, _) in enumerate(asked)
    }
    counted = df.agg(F.count("*").alias("rows"), *late.values()).collect()[0]
    rows = int(counted["rows"])
    found = []
    for number, (lookup, _, told) in enumerate(asked):
        after = int(counted[f"n{number}"])
        share = after / rows if rows else 0.0
        found += [
            Evidence(
                feature=name,
                table=lookup.table,
                check="after_cutoff",
                measured=share,
                limit=0.0,
                leaking=after > 0,
                rows=rows,
                reason=f"{told} is later than {cutoff!r} in {after:,} of {rows:,} rows",
            )
            for name in lookup.outputs
        ]
    return found


def _with_own_times(
    whole: DataFrame, pairs: Sequence[Pair]
) -> tuple[list[tuple[ResolvedLookup, str, str]], DataFrame]:
    """Return lookups with a column that must not be after the cut-off, and the frame of these."""
    asked: list[tuple[ResolvedLookup, str, str]] = []
    wanted: list[Pair] = []
    for number, (lookup, source) in enumerate(pairs):
        if lookup.timestamp_lookup_key is not None:
            told = f"the time {lookup.timestamp_lookup_key!r} that it is looked up by"
            asked.append((lookup, lookup.timestamp_lookup_key, told))
        keys = {*lookup.primary_keys, lookup.timeseries_column}
        times = [
            field.name
            for field in source.schema.fields
            if field.dataType.typeName() == "timestamp" and field.name not in keys
        ]
        names = {time: f"__time_{number}_{time}" for time in times}
        if times:
            own = replace(
                lookup, feature_names=tuple(times), rename_outputs=names, default_values={}
            )
            wanted.append((own, source))
            asked += [(lookup, names[time], f"{time!r} of its row") for time in times]
    return asked, joined(whole, wanted) if wanted else whole


def _vanishing(
    whole: DataFrame, pairs: Sequence[Pair], *, label: str, lag: timedelta, least: float
) -> list[Evidence]:
    from pyspark.sql import functions as F

    shifts = {lookup.timestamp_lookup_key for lookup, _ in pairs}
    earlier = {f"__before_{time}": _plain(time) - F.lit(lag) for time in shifts if time}
    lagged = [
        (
            replace(
                lookup,
                timestamp_lookup_key=f"__before_{lookup.timestamp_lookup_key}",
                rename_outputs={
                    feature: f"__lagged_{output}"
                    for feature, output in zip(lookup.feature_names, lookup.outputs, strict=True)
                },
            ),
            source,
        )
        for lookup, source in pairs
    ]
    numbers = _numbers(whole)
    tables_of = {n: x.table for x, _ in pairs for n in x.outputs if n in numbers}
    wanted = [n for name in tables_of for n in (name, f"__lagged_{name}")]
    if label not in numbers:
        return []
    df = joined(whole.withColumns(earlier), lagged)
    # A sample that is the same each time: the rows whose hash is smallest.
    first = df.orderBy(F.xxhash64(*map(_plain, whole.columns))).limit(SAMPLE)
    rows = first.select(*(_plain(n).cast("double").alias(n) for n in (label, *wanted))).toPandas()
    return [
        _faded(rows, name, table=table, label=label, lag=lag, least=least)
        for name, table in tables_of.items()
    ]


def _faded(
    rows: Any, name: str, *, table: str, label: str, lag: timedelta, least: float
) -> Evidence:
    now = _correlation(rows[name], rows[label])
    before = _correlation(rows[f"__lagged_{name}"], rows[label])
    left = before / now if now else 1.0
    gone = now >= STRONG and left < least
    return Evidence(
        feature=name,
        table=table,
        check="vanishes_when_lagged",
        measured=left,
        limit=least,
        leaking=gone,
        rows=len(rows),
        reason=f"rank correlation with {label!r} is {now:.3f}, and {before:.3f} when it is "
        f"looked up {lag} earlier",
    )


def _correlation(left: Any, right: Any) -> float:
    """Return the size of Spearman's rank correlation, 0 where it is not defined."""
    both = left.notna() & right.notna()
    if both.sum() < 3:
        return 0.0
    a, b = left[both].rank(), right[both].rank()
    if a.nunique() < 2 or b.nunique() < 2:
        return 0.0
    return abs(float(a.corr(b)))


def _across_split(training_set: TrainingSet, cutoff: str, split: str) -> list[Evidence]:
    from pyspark.sql import functions as F

    whole, spec = training_set.whole, training_set.spec
    out = {*spec.labels, *spec.exclude_columns}
    inputs = [name for name in whole.columns if name not in out]
    marked = whole.select(
        F.coalesce(F.expr(split), F.lit(False)).alias("test"),
        _plain(cutoff).alias("cutoff"),
        F.xxhash64(*map(_plain, dict.fromkeys([*inputs, cutoff]))).alias("inputs"),
    )
    kinds = marked.groupBy("inputs").agg(
        F.sum(F.col("test").cast("bigint")).alias("tests"),
        F.sum((~F.col("test")).cast("bigint")).alias("trains"),
    )
    counted = kinds.agg(
        F.sum("tests").alias("tests"),
        F.sum("trains").alias("trains"),
        F.sum(F.when(F.col("trains") > 0, F.col("tests"))).alias("twice"),
    ).collect()[0]
    tests, trains = int(counted["tests"] or 0), int(counted["trains"] or 0)
    twice = int(counted["twice"] or 0)
    first = marked.where("test").agg(F.min("cutoff").alias("first"))
    late = marked.where("not test").join(first, F.col("cutoff") >= F.col("first")).count()
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


def _numbers(df: DataFrame) -> set[str]:
    from pyspark.sql.types import BooleanType, NumericType

    return {f.name for f in df.schema.fields if isinstance(f.dataType, NumericType | BooleanType)}


def _plain(name: str) -> Any:
    from pyspark.sql import functions as F

    return F.col(tables.quoted_column(name))

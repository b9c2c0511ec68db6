"""Joins as of a time against `pandas.merge_asof`: many random cases in each Spark job.

The number of a case is part of the key, so that fifty cases are one join. CI runs 300 cases,
`nox -s torture` 10,000.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from laketop.ml.features import ResolvedLookup
from laketop.ml.features.point_in_time import joined

CASES = 50  # in a batch
BATCHES = 200 if settings().max_examples >= 10_000 else 6
# New York's clocks went back at 06:00 UTC: an hour that comes twice there, and days of 25 hours.
START = pd.Timestamp("2013-11-03T04:00", tz="UTC")
UNIT = {"timestamp": "30min", "timestamp_ntz": "30min", "date": "1D"}


@dataclass(frozen=True)
class Table:
    """A feature table of a batch: which column asks it, and how far back."""

    asked: str
    lookback: int | None
    default: float | None
    rows: list[tuple[int, str, int, float | None]]


@dataclass(frozen=True)
class Batch:
    """Fifty cases: rows that ask, each at two times, and the tables that they ask."""

    kind: str
    zone: str
    asks: list[tuple[int, str | None, int | None, int | None]]
    tables: list[Table]


keys = st.sampled_from("ab")
times = st.integers(0, 9)
values = st.none() | st.integers(-3, 3).map(float)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    known = st.dictionaries(st.tuples(keys, times), values, max_size=6)
    ask = st.tuples(st.none() | keys, st.none() | times, st.none() | times)
    asks = [(case, *row) for case in range(CASES) for row in draw(st.lists(ask, max_size=4))]
    tables = [
        Table(
            draw(st.sampled_from(["at", "then"])),
            draw(st.none() | st.integers(0, 4)),
            draw(st.none() | st.just(99.0)),
            [
                (case, key, time, value)
                for case in range(CASES)
                for (key, time), value in draw(known).items()
            ],
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    kind = draw(st.sampled_from(sorted(UNIT)))
    zone = draw(st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]))
    return Batch(kind, zone, asks, tables)


def moment(number: int | None, kind: str) -> Any:
    if number is None:
        return None
    found = START + number * pd.Timedelta(UNIT[kind])
    if kind == "date":
        return found.date()
    return (found if kind == "timestamp" else found.tz_localize(None)).to_pydatetime()


def spark_frame(spark: SparkSession, rows: list[tuple[Any, ...]], columns: str) -> DataFrame:
    return spark.createDataFrame(rows, columns)


def by_spark(spark: SparkSession, batch: Batch) -> list[tuple[Any, ...]]:
    kind = batch.kind
    df = spark_frame(
        spark,
        [
            (number, case, key, moment(at, kind), moment(then, kind))
            for number, (case, key, at, then) in enumerate(batch.asks)
        ],
        f"id int, case int, k string, at {kind}, then {kind}",
    )
    pairs = []
    for number, table in enumerate(batch.tables):
        source = spark_frame(
            spark,
            [
                (case, key, moment(time, kind), value, place)
                for place, (case, key, time, value) in enumerate(table.rows)
            ],
            f"c int, k string, ts {kind}, x double, row int",
        )
        back = table.lookback
        unit: timedelta = pd.Timedelta(UNIT[kind]).to_pytimedelta()
        lookup = ResolvedLookup(
            table=f"t{number}",
            version=0,
            primary_keys=("c", "k"),
            lookup_key=("case", "k"),
            timeseries_column="ts",
            timestamp_lookup_key=table.asked,
            lookback_seconds=None if back is None else (back * unit).total_seconds(),
            feature_names=("x", "row"),
            rename_outputs={"x": f"x{number}", "row": f"row{number}"},
            default_values={} if table.default is None else {"x": table.default},
        )
        pairs.append((lookup, source))
    found = joined(df, pairs).drop("case", "k", "at", "then")
    names = [f"{name}{number}" for number in range(len(pairs)) for name in ("x", "row")]
    assert found.columns == ["id", *names]
    return sorted(tuple(row) for row in found.collect())


def by_pandas(batch: Batch) -> list[tuple[Any, ...]]:
    asks = pd.DataFrame(batch.asks, columns=["case", "k", "at", "then"])
    asks["id"] = range(len(asks))
    found = {number: [number] for number in asks["id"]}
    for table in batch.tables:
        matched = match(asks, table)
        for number, cells in found.items():
            x, row = matched.get(number, (None, None))
            cells += [table.default if x is None else x, row]
    return [tuple(cells) for cells in found.values()]


def match(asks: pd.DataFrame, table: Table) -> dict[int, tuple[float | None, int]]:
    """Return value and row that pandas finds for each asking row that has key and time."""
    left = asks[["id", "case", "k", table.asked]].dropna()
    right = pd.DataFrame(table.rows, columns=["case", "k", "ts", "x"])
    if left.empty or right.empty:
        return {}
    right["row"] = range(len(right))
    left, right = (
        part.astype({"case": "int64", time: "int64"}).sort_values(time)
        for part, time in ((left, table.asked), (right, "ts"))
    )
    merged: Any = pd.merge_asof(
        left,
        right,
        left_on=table.asked,
        right_on="ts",
        by=["case", "k"],
        tolerance=table.lookback,
    ).dropna(subset="row")
    return {
        int(line.id): (None if pd.isna(line.x) else float(line.x), int(line.row))
        for line in merged.itertuples()
    }


@contextmanager
def session_zone(spark: SparkSession, zone: str) -> Iterator[None]:
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        yield
    finally:
        spark.conf.set("spark.sql.session.timeZone", str(before))


# A batch is not shrunk, which would be hundreds of jobs: the case that differs is shown instead.
@settings(max_examples=BATCHES, phases=[Phase.generate])
@given(batch=batches())
def test_every_row_gets_what_pandas_finds(spark: SparkSession, batch: Batch) -> None:
    with session_zone(spark, batch.zone):
        found = by_spark(spark, batch)
    expected = by_pandas(batch)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        case = batch.asks[ours[0]][0]
        rows = [[row for row in table.rows if row[0] == case] for table in batch.tables]
        assert ours == theirs, (batch.kind, batch.zone, batch.asks[ours[0]], rows)


def test_a_day_is_24_hours_when_the_clocks_change(spark: SparkSession) -> None:
    with session_zone(spark, "America/New_York"):
        df = spark.sql("SELECT 1 AS id, 'a' AS k, TIMESTAMP '2013-11-04T00:00:00' AS at")
        source = spark.sql("SELECT 'a' AS k, TIMESTAMP '2013-11-03T00:00:00' AS ts, 1D AS x")
        for hours, expected in ((24, None), (25, 1.0)):
            lookup = ResolvedLookup(
                table="t",
                version=0,
                primary_keys=("k",),
                lookup_key=("k",),
                timeseries_column="ts",
                timestamp_lookup_key="at",
                lookback_seconds=3600.0 * hours,
                feature_names=("x",),
            )
            assert joined(df, [(lookup, source)]).collect()[0]["x"] == expected


def plan_of(spark: SparkSession, capsys: pytest.CaptureFixture[str], asked: Sequence[str]) -> str:
    """Return the plan of a join with a table for each of the columns that ask."""
    df = spark.range(9).selectExpr("id", "'a' AS k", "current_timestamp() AS at", "at AS since")
    pairs = []
    for number, column in enumerate(asked):
        source = spark.range(9).selectExpr("'a' AS k", "timestamp_seconds(id) AS ts", "id AS x")
        lookup = ResolvedLookup(
            table=f"t{number}",
            version=0,
            primary_keys=("k",),
            lookup_key=("k",),
            timeseries_column="ts",
            timestamp_lookup_key=column,
            feature_names=("x",),
            rename_outputs={"x": f"x{number}"},
        )
        pairs.append((lookup, source))
    capsys.readouterr()
    joined(df, pairs).explain()
    return capsys.readouterr().out


def test_tables_asked_by_the_same_columns_cost_one_shuffle_and_no_join(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """No product of the sides, which would grow by the square of the rows."""
    plan = plan_of(spark, capsys, ("at", "at"))
    assert plan.count("Exchange hashpartitioning") == 1
    assert plan.count("Window [") == 1
    assert not re.search("Join|Cartesian|Broadcast", plan)


def test_features_may_have_any_name_at_several_times(spark: SparkSession) -> None:
    at = "timestamp_seconds(id) AS {}"
    df = spark.range(1, 2).selectExpr("'a' AS k", at.format("at"), at.format("since"))
    source = spark.range(1).selectExpr("'a' AS k", at.format("ts"), "7 AS x")
    pairs = []
    for column, name in (("at", "__time"), ("since", "__side")):
        lookup = ResolvedLookup(
            table="t",
            version=0,
            primary_keys=("k",),
            lookup_key=("k",),
            timeseries_column="ts",
            timestamp_lookup_key=column,
            feature_names=("x",),
            rename_outputs={"x": name},
        )
        pairs.append((lookup, source))
    assert joined(df, pairs).select("__time", "__side").collect() == [(7, 7)]


@pytest.mark.parametrize("own", [("__key_0", "__match"), ("__KEY_0", "___key_0"), ("key_0", "__m")])
def test_a_frame_may_have_columns_of_any_name_where_no_time_is_asked(
    spark: SparkSession, own: tuple[str, str]
) -> None:
    first, second = own
    df = spark.range(1, 3).selectExpr(f"id AS {first}", f"-id AS {second}")
    source = spark.range(1, 2).selectExpr(f"id AS {second}", f"10 * id AS {first}", "5D AS x")
    pairs = []
    for asked, key, output in ((first, second, "__match_0"), (second, first, "x")):
        lookup = ResolvedLookup(
            table="t",
            version=0,
            primary_keys=(key,),
            lookup_key=(asked,),
            feature_names=("x",),
            rename_outputs={"x": output},
        )
        pairs.append((lookup, source))
    found = joined(df, pairs)
    assert found.columns == [first, second, "__match_0", "x"]
    assert found.orderBy(first).collect() == [(1, -1, 5.0, None), (2, -2, None, None)]


def test_tables_asked_by_the_same_keys_at_other_times_shuffle_the_frame_once(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(spark, capsys, ("at", "since"))
    _, between, _ = plan.split("Window [")
    knows_unions = tuple(map(int, spark.version.split(".")[:2])) >= (4, 1)
    assert ("Exchange" in between) is not knows_unions

"""What rows are expected to be: complete, in range, fresh; those that are not land in a table.

Names and actions are those of Databricks' pipelines: `expect` keeps the rows that fail,
`expect_or_drop` leaves them out, `expect_or_fail` stops.

The table of failing rows: checked_at TIMESTAMP, table, expectation, action, run STRING,
row STRING (the row as JSON); one row for each row and expectation that it fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from laketop.errors import ExpectationFailed
from laketop.ml import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

_SHOWN = 300
WARN, DROP, FAIL = "warn", "drop", "fail"
FAILING_ROWS = (
    "checked_at timestamp, table string, expectation string, action string, run string, row string"
)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What every row should be: `constraint`, in SQL, which a row fails unless it is true.

    `at_most` is the share of failing rows, a fraction, up to which the whole still passes. With
    `newest`, the constraint is asked of the newest row by that column alone.
    """

    name: str
    constraint: str
    action: str = WARN
    at_most: float = 0.0
    newest: str | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of one expectation: how many of `rows` failed it, and whether it passed.

    `row` is one that failed, as JSON of at most 300 characters; empty where none did.
    """

    expectation: Expectation
    rows: int
    failed: int
    row: str = ""

    @property
    def passed(self) -> bool:
        """Whether no more rows fail than may; nothing is fresh that has no row."""
        if self.expectation.newest is not None and self.rows == 0:
            return False
        return self.failed <= self.expectation.at_most * self.rows


def expect(name: str, constraint: str) -> Expectation:
    """Expect `constraint` of every row, and keep the rows that fail it."""
    return Expectation(name=name, constraint=constraint)


def expect_or_drop(name: str, constraint: str) -> Expectation:
    """Expect `constraint` of every row, and leave out the rows that fail it."""
    return Expectation(name=name, constraint=constraint, action=DROP)


def expect_or_fail(name: str, constraint: str) -> Expectation:
    """Expect `constraint` of every row, and stop if one fails it."""
    return Expectation(name=name, constraint=constraint, action=FAIL)


def complete(column: str, *, at_least: float = 1.0, action: str = WARN) -> Expectation:
    """Expect `column` to be there in a share `at_least`, a fraction, of the rows."""
    if not 0 <= at_least <= 1:
        raise ValueError(f"at_least is {at_least!r}, not a fraction")
    constraint = f"{tables.quoted_column(column)} IS NOT NULL"
    return Expectation(
        name=f"{column} is complete",
        constraint=constraint,
        action=action,
        at_most=round(1 - at_least, 12),
    )


def within(
    column: str, low: float | None = None, high: float | None = None, *, action: str = WARN
) -> Expectation:
    """Expect the values of `column` between `low` and `high`, both included; null passes.

    Errors: ValueError without both ends, or when no value can lie between them.
    """
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise ValueError(f"no range lies between {low!r} and {high!r}")
    name = tables.quoted_column(column)
    ends = [f"{name} >= {low!r}"] if low is not None else []
    ends += [f"{name} <= {high!r}"] if high is not None else []
    told = f"{column} is between {low} and {high}"
    return Expectation(
        name=told, constraint=f"{name} IS NULL OR ({' AND '.join(ends)})", action=action
    )


def fresh(column: str, *, within: timedelta, now: datetime, action: str = WARN) -> Expectation:
    """Expect the newest row by the timestamp `column` to be no older than `within` before `now`.

    Errors: ValueError for a `now` without time zone.
    """
    oldest = _timestamp(now, less=within)
    return Expectation(
        name=f"{column} is fresh",
        constraint=f"{tables.quoted_column(column)} >= {oldest}",
        action=action,
        newest=column,
    )


def not_future(column: str, *, now: datetime, action: str = WARN) -> Expectation:
    """Expect no row whose timestamp `column` is after `now`; null passes.

    Errors: ValueError for a `now` without time zone.
    """
    name = tables.quoted_column(column)
    return Expectation(
        name=f"{column} is not in the future",
        constraint=f"{name} IS NULL OR {name} <= {_timestamp(now)}",
        action=action,
    )


def check(
    df: DataFrame,
    expectations: Sequence[Expectation],
    *,
    table: str,
    failing_rows: str,
    run: str = "",
    now: datetime | None = None,
) -> tuple[DataFrame, tuple[Checked, ...]]:
    """Return `df` without the rows to drop, and what became of each expectation.

    Shapes: the failing rows are appended to the table `failing_rows` first, whatever follows;
    `table` is the name that they are kept under.
    Errors: ExpectationFailed for an expectation that should stop and did not pass, once the
    failing rows are written; ValueError for two expectations of one name.
    """
    names = [expectation.name for expectation in expectations]
    if len(set(names)) < len(names):
        raise ValueError(f"two expectations of {table!r} have the same name: {sorted(names)!r}")
    asked = [_of_newest(df, expectation) for expectation in expectations]
    checked = _counted(df, asked, expectations)
    failed = [a for a, c in zip(asked, checked, strict=True) if c.failed]
    if failed:
        found = _failing(df, failed, table=table, run=run, at=now or datetime.now(UTC))
        tables.append(df.sparkSession, failing_rows, found)
    for result in checked:
        if not result.passed and result.expectation.action == FAIL:
            raise ExpectationFailed(
                table,
                result.expectation.name,
                failed=result.failed,
                rows=result.rows,
                row=result.row,
                hint=f"the rows that fail are in {failing_rows!r}",
            )
    dropped = [a.constraint for a in asked if a.action == DROP]
    kept = df.where(" AND ".join(_true(c) for c in dropped)) if dropped else df
    return kept, checked


def _of_newest(df: DataFrame, expectation: Expectation) -> Expectation:
    if expectation.newest is None:
        return expectation
    from pyspark.sql import functions as F

    column = tables.quoted_column(expectation.newest)
    newest = _only(df.agg(F.max(column).cast("string")).collect())
    if newest is None:
        return expectation
    others = f"{column} IS NULL OR {column} < TIMESTAMP {tables.literal(newest)}"
    return replace(expectation, constraint=f"{others} OR {expectation.constraint}")


def _counted(
    df: DataFrame, asked: Sequence[Expectation], told: Sequence[Expectation]
) -> tuple[Checked, ...]:
    from pyspark.sql import functions as F

    shown = F.substring(F.to_json(F.struct(F.col("*"))), 1, _SHOWN)
    fails = [F.expr(f"NOT {_true(a.constraint)}") for a in asked]
    counts = [F.count_if(fails_it).alias(f"c{i}") for i, fails_it in enumerate(fails)]
    # The first of them in the order of text, so that it is the same one each time.
    found = [F.min(F.when(fails_it, shown)).alias(f"r{i}") for i, fails_it in enumerate(fails)]
    row = df.agg(F.count(F.lit(1)).alias("rows"), *counts, *found).collect()[0]
    return tuple(
        Checked(expectation=e, rows=row["rows"], failed=row[f"c{i}"], row=row[f"r{i}"] or "")
        for i, e in enumerate(told)
    )


def _failing(
    df: DataFrame, failed: Sequence[Expectation], *, table: str, run: str, at: datetime
) -> DataFrame:
    from pyspark.sql import functions as F

    marks = F.array_compact(
        F.array(
            *(
                F.when(
                    F.expr(f"NOT {_true(e.constraint)}"),
                    F.struct(F.lit(e.name).alias("expectation"), F.lit(e.action).alias("action")),
                )
                for e in failed
            )
        )
    )
    return (
        df.select(F.to_json(F.struct(F.col("*"))).alias("row"), marks.alias("marks"))
        .select("row", F.explode("marks").alias("mark"))
        .select(
            F.lit(at).alias("checked_at"),
            F.lit(table).alias("table"),
            "mark.expectation",
            "mark.action",
            F.lit(run).alias("run"),
            "row",
        )
    )


def _timestamp(now: datetime, *, less: timedelta = timedelta(0)) -> str:
    if now.tzinfo is None:
        raise ValueError(f"now is {now!r}, without a time zone")
    return f"TIMESTAMP '{(now - less).astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00:00}'"


def _true(constraint: str) -> str:
    return f"coalesce(({constraint}), false)"


def _only(rows: list[Row]) -> str | None:
    value: str | None = rows[0][0]
    return value

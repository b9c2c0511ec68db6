"""Expectations: what passes, what is dropped, what stops, and where the failing rows go."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from laketop.ml import (
    ExpectationFailed,
    check,
    complete,
    exists,
    expect,
    expect_or_drop,
    expect_or_fail,
    fresh,
    not_future,
    within,
)

NOW = datetime(2013, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return spark.sql("""
        SELECT * FROM VALUES
          ('JFK', 40.0, TIMESTAMP '2013-04-01 10:00:00'),
          ('LGA', 999.0, TIMESTAMP '2013-04-01 09:00:00'),
          ('EWR', NULL, TIMESTAMP '2013-04-01 08:00:00') AS weather (origin, temp, at)
    """)


def test_failing_rows_land_in_a_table_and_those_to_drop_are_left_out(
    rows: DataFrame, schema: str
) -> None:
    kept, checked = check(
        rows,
        [
            within("temp", -40, 130, action="drop"),
            complete("temp", at_least=0.6),
            expect("known airport", "origin IN ('JFK', 'LGA')"),
            fresh("at", within=timedelta(hours=3), now=NOW),
        ],
        table="weather",
        failing_rows=f"{schema}.failing_rows",
        run="7",
        now=NOW,
    )
    assert {row["origin"] for row in kept.collect()} == {"JFK", "EWR"}
    assert [(c.failed, c.passed) for c in checked] == [
        (1, False),
        (1, True),  # one null of three is no more than may be
        (1, False),
        (0, True),
    ]
    failing = rows.sparkSession.table(f"{schema}.failing_rows").collect()
    told = {(r["expectation"], json.loads(r["row"])["origin"]) for r in failing}
    assert told == {
        ("temp is between -40 and 130", "LGA"),
        ("temp is complete", "EWR"),
        ("known airport", "EWR"),
    }
    assert {(r["table"], r["run"], r["checked_at"].hour) for r in failing} == {("weather", "7", 12)}


def test_a_row_of_the_future_fails_and_one_without_a_time_does_not(
    rows: DataFrame, schema: str
) -> None:
    some = rows.selectExpr("origin", "nullif(at, TIMESTAMP '2013-04-01 08:00:00') AS at")
    at_nine = not_future("at", now=NOW - timedelta(hours=3), action="drop")
    table = f"{schema}.failing_rows"
    kept, (checked,) = check(some, [at_nine], table="w", failing_rows=table)
    assert (checked.failed, checked.passed) == (1, False)
    assert {row["origin"] for row in kept.collect()} == {"LGA", "EWR"}
    (failing,) = rows.sparkSession.table(table).collect()
    assert failing["expectation"] == "at is not in the future"


def test_what_should_stop_stops_once_its_rows_are_kept(rows: DataFrame, schema: str) -> None:
    table = f"{schema}.failing_rows"
    stop = fresh("at", within=timedelta(hours=1), now=NOW, action="fail")
    with pytest.raises(ExpectationFailed, match="'at is fresh': 1 of 3 rows fail") as caught:
        check(rows, [stop], table="weather", failing_rows=table)
    assert """such as {"origin":"JFK","temp":40.0,""" in caught.value.message
    assert table in str(caught.value.hint)
    kept = rows.sparkSession.table(table).collect()
    assert [json.loads(row["row"])["origin"] for row in kept] == ["JFK"]


def test_a_constraint_that_is_null_is_not_met(rows: DataFrame, schema: str) -> None:
    kept, _ = check(
        rows,
        [expect_or_drop("warm", "temp > 32")],
        table="weather",
        failing_rows=f"{schema}.failing_rows",
    )
    assert {row["origin"] for row in kept.collect()} == {"JFK", "LGA"}


def test_where_nothing_fails_no_table_is_made_and_an_empty_table_is_not_fresh(
    rows: DataFrame, schema: str
) -> None:
    table = f"{schema}.failing_rows"
    check(rows, [expect_or_fail("placed", "origin <> ''")], table="w", failing_rows=table)
    _, checked = check(
        rows.limit(0),
        [fresh("at", within=timedelta(hours=1), now=NOW), complete("temp")],
        table="w",
        failing_rows=table,
    )
    assert [c.passed for c in checked] == [False, True]
    assert not exists(rows.sparkSession, table)


def test_two_of_one_name_are_an_error(rows: DataFrame) -> None:
    with pytest.raises(ValueError, match="the same name"):
        check(rows, [complete("temp")] * 2, table="w", failing_rows="w_failing")

# ruff: noqa: S608  the names are the tests' own
"""What cannot be done says why, and disturbs nobody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from laketop.settings import Settings


@pytest.fixture
def place(laketop_project: Path, schema: str) -> Path:
    """Return the folder of the test's schema."""
    return Settings.read(laketop_project).state.joinpath("catalog", *schema.split("."))


def rows(spark: SparkSession, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in spark.sql(statement).collect()]


@pytest.mark.parametrize("name", ["größe", "n" * 200, "drop table", "a`b", "naïve-1", "select"])
def test_a_name_works_everywhere_or_is_refused_by_its_rule(
    spark: SparkSession, schema: str, name: str
) -> None:
    full = f"{schema}.`{name.replace('`', '``')}`"
    if " " in name:
        with pytest.raises(Exception, match="INVALID_NAME"):
            spark.sql(f"CREATE TABLE {full} AS SELECT 1 AS a")
        return
    spark.sql(f"CREATE TABLE {full} AS SELECT 1 AS a")
    spark.sql(f"INSERT INTO {full} VALUES (2)")
    assert spark.table(full).count() == 2
    assert [row[1] for row in rows(spark, f"SHOW TABLES IN {schema}")] == [name]


@pytest.mark.parametrize("kind", ["TABLE", "VIEW", "FUNCTION", "VOLUME"])
def test_the_longest_name_works_and_a_longer_one_is_refused(
    spark: SparkSession, schema: str, kind: str
) -> None:
    rest = {
        "TABLE": "AS SELECT 1 AS a",
        "VIEW": "AS SELECT 1 AS a",
        "FUNCTION": "() RETURNS INT RETURN 1",
        "VOLUME": "",
    }[kind]
    longest = f"{schema}.{'n' * 250}"
    spark.sql(f"CREATE {kind} {longest} {rest}")
    assert rows(spark, f"DESCRIBE {'TABLE' if kind == 'VIEW' else kind} {longest}")
    spark.sql(f"DROP {kind} {longest}")
    for name in ("n" * 251, "ü" * 200, "n" * 256):
        with pytest.raises(Exception, match="INVALID_NAME"):
            spark.sql(f"CREATE {kind} {schema}.`{name}` {rest}")


def test_a_result_of_100_megabytes_arrives_whole(spark: SparkSession) -> None:
    kilobyte = "repeat('x', 1024)"
    table = spark.range(100 * 1024).selectExpr("id", f"{kilobyte} AS text").toArrow()
    assert table.num_rows == 100 * 1024
    assert table["text"].nbytes >= 100 * 2**20
    assert rows(spark, "SELECT 1") == [(1,)]


def test_a_view_on_what_is_gone_and_a_circle_of_views_name_it(
    spark: SparkSession, schema: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT a FROM {schema}.t")
    spark.sql(f"CREATE VIEW {schema}.w AS SELECT a FROM {schema}.v")
    with pytest.raises(Exception, match="RECURSIVE_VIEW"):
        spark.sql(f"ALTER VIEW {schema}.v AS SELECT a FROM {schema}.w")
    spark.sql(f"DROP TABLE {schema}.t")
    for name in ("v", "w"):
        with pytest.raises(Exception, match=r"(?s)TABLE_OR_VIEW_NOT_FOUND.*`t`"):
            rows(spark, f"SELECT * FROM {schema}.{name}")
    listed = rows(spark, f"SHOW VIEWS IN {schema}")
    assert [row[1] for row in listed] == ["v", "w"]


def test_a_table_whose_file_is_gone_names_the_file(
    spark: SparkSession, schema: str, place: Path
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    spark.sql(f"CREATE TABLE {schema}.whole AS SELECT 2 AS a")
    (file,) = (place / "t").glob("part-*.parquet")
    file.unlink()
    with pytest.raises(Exception, match=rf"(?s)FAILED_READ_FILE.*{file.name}"):
        rows(spark, f"SELECT * FROM {schema}.t")
    assert rows(spark, f"SELECT * FROM {schema}.whole") == [(2,)]


def test_a_table_whose_log_was_cut_is_an_error_of_delta(
    spark: SparkSession, schema: str, place: Path
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t AS SELECT 1 AS a")
    spark.sql(f"INSERT INTO {schema}.t VALUES (2)")
    spark.sql(f"CREATE TABLE {schema}.whole AS SELECT 2 AS a")
    (place / "t/_delta_log/00000000000000000000.json").unlink()
    with pytest.raises(Exception, match="DELTA_TRUNCATED_TRANSACTION_LOG"):
        rows(spark, f"ALTER TABLE {schema}.t RENAME TO {schema}.cut")
    for name in ("t", "cut"):
        with pytest.raises(Exception, match=r"DELTA_TRUNCATED_TRANSACTION_LOG|NOT_FOUND"):
            rows(spark, f"SELECT * FROM {schema}.{name}")
    assert rows(spark, f"SELECT * FROM {schema}.whole") == [(2,)]


def test_a_function_of_python_that_raises_or_exits_ends_its_own_statement(
    spark: SparkSession,
) -> None:
    raises = f.udf(lambda value: 1 // value, "int")
    exits = f.udf(lambda _: os._exit(3), "int")
    with pytest.raises(Exception, match="ZeroDivisionError"):
        spark.range(1).select(raises("id")).collect()
    with pytest.raises(Exception, match=r"Python worker exited|crashed"):
        spark.range(1).select(exits("id")).collect()
    assert spark.range(3).count() == 3

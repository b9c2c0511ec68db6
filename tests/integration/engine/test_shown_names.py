"""Plans and errors name functions as people do, not as Spark has registered them."""

from __future__ import annotations

import re

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from tests.engines import RUNTIME

INTERNAL = re.compile(r"spark_catalog|\w__\w")
QUERIES = (
    "SELECT {s}.h(a), {s}.d(y => 3) FROM {s}.t WHERE {s}.f(a) > 1",
    "SELECT * FROM {s}.g(0), {s}.v, {s}.filtered",
    "INSERT INTO {s}.t SELECT {s}.f(1)",
    "DELETE FROM {s}.t WHERE {s}.f(a) > 3",
    "SELECT {s}.f(y => 1)",
    # Spark 4.0 cannot plan a function that calls one in a subquery.
    *(() if RUNTIME == "17.3-LTS" else ("SELECT {s}.q(a) FROM {s}.t",)),
)
WRONG = (
    "SELECT {s}.f(y => 1)",
    "SELECT {s}.f(x => 1, x => 2)",
    "SELECT {s}.d(1, x => 2)",
    "SELECT {s}.f(1, 2)",
    "SELECT {s}.f(array(1))",
    "SELECT {s}.f(nope) FROM {s}.t",
    "SELECT {s}.f(DISTINCT a) FROM {s}.t",
    "SELECT * FROM {s}.f(1)",
    "SELECT {s}.g(1)",
    "SELECT * FROM {s}.g(array(1))",
    "SELECT CASE WHEN {s}.f(1) THEN 1 END",
    "SELECT {s}.f(1) UNION ALL SELECT array(1)",
    "SELECT a, {s}.f(sum(a)) FROM {s}.t",
    "SELECT * FROM {s}.t WHERE {s}.f(a)",
    "INSERT INTO {s}.t SELECT array({s}.f(1))",
    "SELECT {s}.boom(1)",
    "CREATE OR REPLACE FUNCTION {s}.f(x INT) RETURNS INT RETURN {s}.h(x)",
    "CREATE FUNCTION {s}.bad(x INT) RETURNS INT RETURN {s}.f(x => 1, x => 2)",
)


@pytest.fixture
def named(spark: SparkSession, schema: str) -> str:
    for statement in (
        "CREATE TABLE {s}.t (a INT)",
        "CREATE TABLE {s}.filtered (a INT)",
        "CREATE FUNCTION {s}.f(x INT) RETURNS INT RETURN x + 1",
        "CREATE FUNCTION {s}.g(x INT) RETURNS TABLE (i INT) RETURN SELECT a FROM {s}.t WHERE a > x",
        "CREATE FUNCTION {s}.h(x INT) RETURNS INT RETURN {s}.f(x) * 2",
        "CREATE FUNCTION {s}.d(x INT DEFAULT 1, y INT DEFAULT 2) RETURNS INT RETURN x + y",
        "CREATE VIEW {s}.v AS SELECT a, {s}.f(a) AS c FROM {s}.t",
        "CREATE FUNCTION {s}.q(x INT) RETURNS INT RETURN (SELECT max(a) FROM {s}.v WHERE c < x)",
        "CREATE FUNCTION {s}.boom(x INT) RETURNS INT RETURN raise_error('boom')",
        "CREATE FUNCTION {s}.sees(x INT) RETURNS BOOLEAN RETURN x > 0",
        "ALTER TABLE {s}.filtered SET ROW FILTER {s}.sees ON (a)",
    ):
        spark.sql(statement.format(s=schema))
    return schema


def internal(text: str) -> str | None:
    """Return the first name in a text that nobody has given, with what is around it."""
    found = INTERNAL.search(text)
    return text[max(0, found.start() - 50) : found.end() + 50] if found else None


def test_no_plan_names_what_nobody_has_named(
    spark: SparkSession, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for mode, queries in (("EXTENDED", QUERIES), ("FORMATTED", QUERIES[:1])):
        for query in queries:
            (row,) = spark.sql(f"EXPLAIN {mode} {query.format(s=named)}").collect()
            told.append(row[0])
    frame = spark.sql(QUERIES[0].format(s=named))
    frame.explain(extended=True)
    told += [capsys.readouterr().out, str(frame.schema), str(frame.columns)]
    assert [internal(text) for text in told] == [None] * len(told)
    assert f"{named}.f(" in told[0]
    assert f"{named}.h(" in told[-3]


def test_no_error_names_what_nobody_has_named(spark: SparkSession, named: str) -> None:
    told = []
    for statement in WRONG:
        with pytest.raises(PySparkException) as caught:
            spark.sql(statement.format(s=named)).collect()
        parameters = str(caught.value.getMessageParameters())
        told.append(f"{caught.value}{parameters}")
    assert [internal(text) for text in told] == [None] * len(told)
    assert named.replace(".", "`.`") in told[0]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("CREATE TABLE {s}.t (a INT)", "t"),
        ("CREATE TABLE {s}.t AS SELECT 1 AS a", "t"),
        ("CREATE TABLE {s}.v (a INT)", "v"),
        ("CREATE VIEW {s}.t AS SELECT 1", "t"),
        # Spark 4.0 looks for the schema itself, and tells it without its catalog.
        *(() if RUNTIME == "17.3-LTS" else (("CREATE SCHEMA {s}", ""),)),
        ("REPLACE TABLE {s}.none (a INT)", "none"),
        ("ALTER TABLE {s}.t RENAME TO {s}.v", "v"),
        ("ALTER VIEW {s}.v RENAME TO {s}.t", "t"),
        ("DROP VIEW {s}.none", "none"),
        ("SHOW TABLES IN {s}_none", "_none"),
        ("CREATE TABLE {s}_none.t (a INT)", "_none"),
        ("INSERT INTO {s}.v VALUES (1, 2)", "v"),
        ("UPDATE {s}.v SET a = 1", "v"),
        ("DELETE FROM {s}.v", "v"),
        ("MERGE INTO {s}.v USING {s}.t ON true WHEN MATCHED THEN DELETE", "v"),
        ("SELECT * FROM {s}.v VERSION AS OF 1", "v"),
    ],
)
def test_errors_about_names_tell_all_of_their_parts(
    spark: SparkSession, named: str, statement: str, name: str
) -> None:
    with pytest.raises(PySparkException) as caught:
        spark.sql(statement.format(s=named)).collect()
    schema = named.replace(".", "`.`")
    whole = f"`{schema}`.`{name}`" if name.isalpha() else f"`{schema}{name}`"
    assert whole in str(caught.value)


@pytest.mark.skipif(RUNTIME == "17.3-LTS", reason="Spark 4.0 words these itself")
@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        ("INSERT INTO {s}.v VALUES (1, 2)", "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE"),
        ("UPDATE {s}.v SET a = 1", "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE"),
        ("SELECT * FROM {s}.v TIMESTAMP AS OF '2020-01-01'", "UNSUPPORTED_FEATURE.TIME_TRAVEL"),
    ],
)
def test_a_view_is_no_table_to_write_to_or_to_go_back_in_time(
    spark: SparkSession, named: str, bobs: SparkSession, statement: str, condition: str
) -> None:
    with pytest.raises(PySparkException) as caught:
        spark.sql(statement.format(s=named)).collect()
    assert caught.value.getCondition() == condition
    with pytest.raises(PySparkException, match="does not have USE CATALOG"):
        bobs.sql(statement.format(s=named)).collect()


def test_values_columns_and_settings_with_such_a_name_are_as_they_were(
    spark: SparkSession, named: str
) -> None:
    told = f"spark_catalog.{named.replace('.', '__')}.f"
    for frame in (spark.sql(f"SELECT '{told}' AS a"), spark.sql("SELECT ? AS a", args=[told])):
        assert [row.a for row in frame.where(f.col("a") == told).collect()] == [told]
    assert spark.range(1).select(f.lit(1).alias(told)).columns == [told]
    spark.conf.set("laketop.told", told)
    assert spark.conf.get("laketop.told") == told
    spark.conf.unset("laketop.told")


def test_a_function_is_described_by_its_own_name_alone(
    spark: SparkSession, named: str, bobs: SparkSession
) -> None:
    spark.sql(f"SELECT {named}.f(1)").collect()
    asked = f"DESCRIBE FUNCTION EXTENDED spark_catalog.{named.replace('.', '__')}.f"
    assert spark.sql(asked).collect()[0][0].split() == ["Function:", f"{named}.f"]
    with pytest.raises(PySparkException, match="does not have"):
        bobs.sql(asked).collect()


def test_functions_that_are_signs_are_listed_too(spark: SparkSession) -> None:
    sign = "%" if RUNTIME == "17.3-LTS" else ":"  # Spark 4.0 has no operator of the other name
    found = spark.catalog.listFunctions(pattern=f"{sign}|is_member")
    assert sorted(function.name for function in found) == [sign, "is_member"]

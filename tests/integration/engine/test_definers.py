# ruff: noqa: S608  the names are the tests' own
"""Views and functions read with the rights of their owner; knowing of an object is no reading."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from tests.integration.engine.bearers import BOB, bearing, denial, grant, rows

EVE = "eve@laketop.local"


def test_a_view_or_function_reads_what_its_owner_may_read(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    catalog = box.split(".", maxsplit=1)[0]
    hidden = f"{catalog}.hidden"
    for statement in (
        f"CREATE SCHEMA {hidden}",
        f"CREATE TABLE {hidden}.t AS SELECT 7 AS a",
        f"CREATE VIEW {box}.inner AS SELECT a FROM {hidden}.t",
        f"CREATE VIEW {box}.outer AS SELECT a FROM {box}.inner WHERE a > (SELECT 1)",
        f"CREATE FUNCTION {box}.scalar() RETURNS INT RETURN (SELECT max(a) FROM {hidden}.t)",
        f"CREATE FUNCTION {box}.tabular() RETURNS TABLE (a INT) RETURN SELECT a FROM {hidden}.t",
    ):
        spark.sql(statement)
    grant(spark, box, f"SELECT ON SCHEMA {box}", f"EXECUTE ON SCHEMA {box}")
    reads = [
        f"SELECT * FROM {box}.inner",
        f"SELECT * FROM {box}.outer",
        f"SELECT {box}.scalar()",
        f"SELECT * FROM {box}.tabular()",
        f"SELECT a FROM {box}.inner WHERE a IN (SELECT a FROM {box}.outer)",
    ]
    for read in reads:
        assert rows(bobs, read) == [(7,)], read
    for read in (
        f"SELECT (SELECT max(a) FROM {hidden}.t)",
        f"SELECT a FROM {box}.inner WHERE a IN (SELECT a FROM {hidden}.t)",
        f"SELECT * FROM {box}.inner, LATERAL (SELECT * FROM {hidden}.t)",
        f"WITH x AS (SELECT * FROM {hidden}.t) SELECT 1 WHERE EXISTS (SELECT 1 FROM x)",
        f"INSERT INTO {box}.t SELECT (SELECT max(a) FROM {hidden}.t)",
    ):
        told = denial(bobs, read)
        assert BOB in told, told
        assert "INSUFFICIENT_PERMISSIONS" in told

    spark.sql(f"ALTER VIEW {box}.inner SET OWNER TO `{EVE}`")
    for function in ("scalar", "tabular"):
        spark.sql(f"ALTER FUNCTION {box}.{function} SET OWNER TO `{EVE}`")
    for read in reads:
        assert f"User '{EVE}' does not have USE CATALOG" in denial(bobs, read), read
    grant(spark, hidden, f"SELECT ON SCHEMA {hidden}", to=EVE)
    for read in reads:
        assert rows(bobs, read) == [(7,)], read
    spark.sql(f"REVOKE SELECT ON SCHEMA {hidden} FROM `{EVE}`")
    for read in reads:
        assert f"User '{EVE}' does not have SELECT on TABLE '{hidden}.t'" in denial(bobs, read)


def test_a_view_reads_files_that_its_owner_may_read(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    folder = f"/Volumes/{box.replace('.', '/')}/own/in"
    spark.sql(f"CREATE VOLUME {box}.own")
    spark.range(3).write.json(folder)
    spark.sql(f"CREATE VIEW {box}.filed AS SELECT id FROM json.`{folder}`")
    grant(spark, box, f"SELECT ON VIEW {box}.filed")
    assert rows(bobs, f"SELECT max(id) FROM {box}.filed") == [(2,)]
    told = denial(bobs, f"SELECT * FROM json.`{folder}`")
    assert f"does not have READ VOLUME on VOLUME '{box}.own'" in told


def test_a_function_reads_files_with_the_rights_of_its_owner(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    folder = f"/Volumes/{box.replace('.', '/')}/files/in"
    spark.range(3).write.json(folder)
    bodies = {
        "most": f"RETURNS BIGINT RETURN (SELECT max(id) FROM json.`{folder}`)",
        "whole": f"RETURNS TABLE (id BIGINT) RETURN SELECT id FROM json.`{folder}`",
        "listed": "RETURNS TABLE (id BIGINT) RETURN"
        f" SELECT id FROM read_files('{folder}', format => 'json')",
    }
    for name, body in bodies.items():
        spark.sql(f"CREATE FUNCTION {box}.{name}() {body}")
    grant(spark, box, *(f"EXECUTE ON FUNCTION {box}.{name}" for name in bodies))
    grant(spark, box, f"EXECUTE ON FUNCTION {box}.g")
    assert rows(bobs, f"SELECT {box}.most()") == [(2,)]
    for table in ("whole", "listed"):
        assert rows(bobs, f"SELECT max(id) FROM {box}.{table}()") == [(2,)], table

    assert "does not have EXECUTE on" in denial(bobs, f"SELECT {box}.g({box}.f(1))")
    own = f"(SELECT CAST(max(id) AS INT) FROM json.`{folder}`)"
    assert "does not have READ VOLUME on" in denial(bobs, f"SELECT {box}.g({own})")

    spark.sql(f"ALTER FUNCTION {box}.most SET OWNER TO `{EVE}`")
    assert f"User '{EVE}' does not have USE CATALOG on" in denial(bobs, f"SELECT {box}.most()")


def test_nobody_calls_through_a_function_of_his_own_what_he_may_not_call(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    own = f"{box.split('.', maxsplit=1)[0]}.own"
    spark.sql(f"CREATE SCHEMA {own}")
    spark.sql(f"CREATE FUNCTION {box}.listed() RETURNS TABLE (a INT) RETURN SELECT 7")
    grant(spark, own, f"CREATE FUNCTION ON SCHEMA {own}", f"EXECUTE ON SCHEMA {own}")
    bodies = {
        "plain": f"RETURNS INT RETURN {box}.f(1)",
        "deep": f"RETURNS INT RETURN (SELECT max({box}.f(1)))",
        "rows": f"RETURNS INT RETURN (SELECT max(a) FROM {box}.listed())",
        "named": f"RETURNS INT RETURN IDENTIFIER('{box}.f')(1)",
    }
    for name, body in bodies.items():
        with contextlib.suppress(PySparkException):  # no matter when it is told
            bobs.sql(f"CREATE FUNCTION {own}.{name}() {body}")
        told = denial(bobs, f"SELECT {own}.{name}()")
        assert "INSUFFICIENT_PERMISSIONS" in told or "UNRESOLVED_ROUTINE" in told, (name, told)
    with contextlib.suppress(PySparkException):
        bobs.sql(f"CREATE FUNCTION {own}.all() RETURNS TABLE (a INT) RETURN SELECT {box}.f(1)")
    assert "[(2" not in denial(bobs, f"SELECT * FROM {own}.all()")


def test_an_argument_of_a_table_function_reads_nothing_with_the_rights_of_its_owner(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    hidden = f"{box.split('.', maxsplit=1)[0]}.hidden"
    spark.sql(f"CREATE SCHEMA {hidden}")
    spark.sql(f"CREATE TABLE {hidden}.t AS SELECT 7 AS a")
    spark.sql(f"CREATE FUNCTION {box}.same(x INT) RETURNS TABLE (a INT) RETURN SELECT x")
    grant(spark, box, f"EXECUTE ON FUNCTION {box}.same")
    query = f"(SELECT max(a) FROM {hidden}.t)"
    for read in (
        f"SELECT * FROM {box}.same({query})",
        f"SELECT * FROM {box}.same(x => {query})",
        f"SELECT * FROM VALUES (1), LATERAL {box}.same({query} + 1)",
    ):
        assert "A query as the argument of a table function" in denial(bobs, read), read
    assert rows(bobs, f"SELECT a FROM VALUES (1) AS q(x), LATERAL {box}.same(q.x)") == [(1,)]
    assert rows(spark, f"SELECT * FROM {box}.same({query})") == [(7,)]


def test_explaining_and_describing_a_query_tell_nothing_that_it_may_not_read(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    folder = f"/Volumes/{box.replace('.', '/')}/files/told"
    spark.range(3).selectExpr("id AS salary").write.json(folder)
    spark.sql(f"CREATE FUNCTION {box}.paid() RETURNS INT RETURN (SELECT max(a) FROM {box}.t)")
    grant(spark, box)
    for query in (
        f"SELECT * FROM json.`{folder}`",
        f"SELECT * FROM read_files('{folder}', format => 'json')",
        f"SELECT {box}.paid()",
        f"SELECT * FROM {box}.t",
    ):
        for told in ("EXPLAIN EXTENDED", "EXPLAIN", "DESCRIBE QUERY"):
            assert "INSUFFICIENT_PERMISSIONS" in denial(bobs, f"{told} {query}"), (told, query)
    assert "salary" in str(rows(spark, f"DESCRIBE QUERY SELECT * FROM json.`{folder}`"))
    assert rows(bobs, "DESCRIBE QUERY SELECT 1 AS one")[0][0] == "one"


def test_functions_that_spark_knows_by_one_name_are_not_taken_for_each_other(
    spark: SparkSession, box: str
) -> None:
    catalog = box.split(".", maxsplit=1)[0]
    other = f"{catalog}__x"
    spark.sql(f"CREATE CATALOG {other}")
    try:
        spark.sql(f"CREATE SCHEMA {other}.y")
        spark.sql(f"CREATE SCHEMA {catalog}.x__y")
        spark.sql(f"CREATE FUNCTION {catalog}.x__y.f() RETURNS INT RETURN 1")
        with pytest.raises(PySparkException, match="cannot be told from"):
            spark.sql(f"CREATE FUNCTION {other}.y.f() RETURNS INT RETURN 2")
        assert rows(spark, f"SELECT {catalog}.x__y.f()") == [(1,)]
        spark.sql(f"DROP FUNCTION {catalog}.x__y.f")
        spark.sql(f"CREATE FUNCTION {other}.y.f() RETURNS INT RETURN 2")
        assert rows(spark, f"SELECT {other}.y.f()") == [(2,)]
    finally:
        spark.sql(f"DROP CATALOG {other} CASCADE")


@pytest.fixture
def bobs_own(bobs_token: str, laketop_engine: str) -> Iterator[SparkSession]:
    """Return a session that may be left in a catalog that is dropped then."""
    with bearing(bobs_token, laketop_engine) as session:
        yield session


def test_any_privilege_or_browse_lets_one_know_of_an_object(
    spark: SparkSession, bobs_own: SparkSession, box: str
) -> None:
    bobs = bobs_own
    catalog = box.split(".", maxsplit=1)[0]
    told = [f"DESCRIBE CATALOG {catalog}", f"DESCRIBE SCHEMA {box}"]
    told += [f"DESCRIBE {how} {box}.{name}" for how in ("", "TABLE EXTENDED") for name in "tv"]
    told += [f"SHOW {what} {box}.t" for what in ("COLUMNS IN", "TBLPROPERTIES", "CREATE TABLE")]
    told += [f"DESCRIBE VOLUME {box}.files", f"DESCRIBE FUNCTION {box}.f"]
    for statement in (*told, f"USE CATALOG {catalog}", f"USE {box}", f"ANALYZE TABLE {box}.t"):
        assert "does not have USE CATALOG on" in denial(bobs, statement), statement
    spark.sql(f"GRANT BROWSE ON CATALOG {catalog} TO `{BOB}`")
    for statement in told:
        assert rows(bobs, statement), statement
    assert "does not have USE CATALOG on" in denial(bobs, f"SELECT * FROM {box}.t")
    spark.sql(f"REVOKE BROWSE ON CATALOG {catalog} FROM `{BOB}`")

    grant(spark, box)
    assert rows(bobs, f"USE CATALOG {catalog}") == []
    assert rows(bobs, f"USE {box}") == []
    assert "does not have SELECT on" in denial(bobs, f"DESCRIBE TABLE {box}.t")
    spark.sql(f"GRANT MODIFY ON TABLE {box}.t TO `{BOB}`")
    assert rows(bobs, f"DESCRIBE TABLE {box}.t") == [("a", "int", None)]
    assert "does not have SELECT on" in denial(bobs, f"ANALYZE TABLE {box}.t COMPUTE STATISTICS")


def test_each_kind_of_object_is_made_by_who_may_make_it_and_tagged_by_who_may_tag(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    catalog = box.split(".", maxsplit=1)[0]
    making = {
        f"CREATE SCHEMA {catalog}.made": f"CREATE SCHEMA ON CATALOG {catalog}",
        f"CREATE TABLE {box}.made (a INT)": f"CREATE TABLE ON SCHEMA {box}",
        f"CREATE VIEW {box}.seen AS SELECT 1 AS a": f"CREATE TABLE ON SCHEMA {box}",
        f"CREATE VOLUME {box}.made": f"CREATE VOLUME ON SCHEMA {box}",
        f"CREATE FUNCTION {box}.made() RETURNS INT RETURN 1": f"CREATE FUNCTION ON SCHEMA {box}",
        f"ALTER TABLE {box}.t SET TAGS ('k' = 'v')": f"APPLY TAG ON TABLE {box}.t",
        f"ALTER SCHEMA {box} SET TAGS ('k' = 'v')": f"APPLY TAG ON SCHEMA {box}",
    }
    told = denial(bobs, f"CREATE CATALOG {catalog}_made")
    assert "does not have CREATE CATALOG on METASTORE" in told
    spark.sql(f"GRANT USE CATALOG ON CATALOG {catalog} TO `{BOB}`")
    spark.sql(f"GRANT CREATE TABLE ON SCHEMA {box} TO `{BOB}`")
    assert "does not have USE SCHEMA on" in denial(bobs, f"CREATE TABLE {box}.made (a INT)")
    spark.sql(f"REVOKE CREATE TABLE ON SCHEMA {box} FROM `{BOB}`")
    grant(spark, box)
    for statement, privilege in making.items():
        lacks = privilege.partition(" ON ")[0]
        assert f"does not have {lacks} on" in denial(bobs, statement), statement
        spark.sql(f"GRANT {privilege} TO `{BOB}`")
        bobs.sql(statement)
        spark.sql(f"REVOKE {privilege} FROM `{BOB}`")


def test_a_denial_has_databricks_condition_and_sql_state_in_python(
    bobs: SparkSession, box: str
) -> None:
    with pytest.raises(PySparkException) as caught:
        bobs.sql(f"SELECT * FROM {box}.t")
    assert caught.value.getCondition() == "INSUFFICIENT_PERMISSIONS"
    assert caught.value.getSqlState() == "42501"


def test_a_mask_holds_for_streams_delta_tables_and_copies(
    spark: SparkSession, bobs: SparkSession, box: str, tmp_path: Path
) -> None:
    spark.sql(f"CREATE FUNCTION {box}.hide(a INT) RETURNS INT RETURN 0")
    spark.sql(f"ALTER TABLE {box}.t ALTER COLUMN a SET MASK {box}.hide")
    grant(spark, box, f"SELECT ON TABLE {box}.t", f"CREATE TABLE ON SCHEMA {box}")
    assert rows(bobs, f"SELECT a FROM {box}.t") == [(0,)]
    assert [row.a for row in DeltaTable.forName(bobs, f"{box}.t").toDF().collect()] == [0]
    stream = bobs.readStream.table(f"{box}.t").writeStream.option(
        "checkpointLocation", str(tmp_path / "checkpoint")
    )
    stream.trigger(availableNow=True).format("json").start(str(tmp_path / "out")).awaitTermination()
    assert [row.a for row in spark.read.json(str(tmp_path / "out")).collect()] == [0]
    for copy in ("SHALLOW CLONE", "DEEP CLONE"):
        told = denial(bobs, f"CREATE TABLE {box}.c {copy} {box}.t")
        assert "CLONE of a table with a row filter or a column mask" in told
    bobs.sql(f"CREATE TABLE {box}.c AS SELECT * FROM {box}.t")
    assert rows(bobs, f"SELECT a FROM {box}.c") == [(0,)]

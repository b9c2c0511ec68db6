# ruff: noqa: S608  the names are the tests' own
"""Who may copy a table, and turn files into one: CLONE and CONVERT TO DELTA."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession
from tests.integration.engine.bearers import BOB, denial, grant, rows

from laketop.settings import Settings


def test_a_clone_needs_what_reading_its_source_and_making_its_target_need(
    spark: SparkSession, bobs: SparkSession, box: str, laketop_project: Path
) -> None:
    folder = Settings.read(laketop_project).state / "catalog" / box.replace(".", "/") / "t"
    catalog = box.split(".", maxsplit=1)[0]
    spark.sql(f"CREATE SCHEMA {catalog}.own")
    spark.sql(f"ALTER SCHEMA {catalog}.own SET OWNER TO `{BOB}`")
    spark.sql(f"GRANT USE CATALOG ON CATALOG {catalog} TO `{BOB}`")
    copies = [f"CREATE TABLE {catalog}.own.c {how} CLONE {box}.t" for how in ("SHALLOW", "DEEP")]
    for copy in (*copies, f"{copies[0]} VERSION AS OF 0", f"{copies[0]} LOCATION 'dbfs:/{box}'"):
        assert f"does not have USE SCHEMA on Schema '{box}'" in denial(bobs, copy)
    grant(spark, box)
    for copy in copies:
        assert f"does not have SELECT on TABLE '{box}.t'" in denial(bobs, copy)
    by_path = f"CREATE TABLE {catalog}.own.c SHALLOW CLONE delta.`{folder}`"
    assert "does not have READ FILES on PATH" in denial(bobs, by_path)
    assert rows(bobs, f"SHOW TABLES IN {catalog}.own") == []  # nothing was left half made

    spark.sql(f"GRANT SELECT ON TABLE {box}.t TO `{BOB}`")
    bobs.sql(copies[0])
    bobs.sql(copies[1].replace("own.c", "own.d"))
    for name in ("c", "d"):
        assert rows(bobs, f"SELECT * FROM {catalog}.own.{name}") == [(1,)]
    made = f"CREATE TABLE {box}.c SHALLOW CLONE {box}.t"
    assert f"does not have CREATE TABLE on SCHEMA '{box}'" in denial(bobs, made)
    onto = f"CREATE OR REPLACE TABLE {box}.t SHALLOW CLONE {catalog}.own.c"
    assert f"does not have MANAGE on TABLE '{box}.t'" in denial(bobs, onto)
    spark.sql(f"GRANT CREATE TABLE ON SCHEMA {box} TO `{BOB}`")
    bobs.sql(made)
    assert rows(bobs, f"SELECT * FROM {box}.c") == [(1,)]


def test_files_become_delta_by_who_may_write_them_and_tables_by_who_manages_them(
    spark: SparkSession, bobs: SparkSession, box: str, laketop_project: Path
) -> None:
    state = Settings.read(laketop_project).state
    files = f"/Volumes/{box.replace('.', '/')}/files/p"
    spark.range(1).write.parquet(files)
    spark.sql(f"CREATE TABLE {box}.p (id BIGINT) USING parquet LOCATION '{files}'")
    grant(spark, box, f"SELECT ON TABLE {box}.p", f"READ VOLUME ON VOLUME {box}.files")
    inside = (
        f"CONVERT TO DELTA parquet.`{state / 'catalog' / box.replace('.', '/')}/_files/files/p`"
    )
    assert "does not have READ FILES on PATH" in denial(bobs, inside)
    assert "does not have WRITE VOLUME" in denial(bobs, f"CONVERT TO DELTA parquet.`{files}`")
    assert "does not have MANAGE" in denial(bobs, f"CONVERT TO DELTA {box}.p")
    spark.sql(f"CONVERT TO DELTA {box}.p")
    spark.sql(f"INSERT INTO {box}.p VALUES (7)")
    assert rows(bobs, f"SELECT id FROM {box}.p ORDER BY id") == [(0,), (7,)]


def test_a_table_moves_only_into_a_schema_where_one_may_create_it(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    catalog = box.split(".", maxsplit=1)[0]
    spark.sql(f"CREATE SCHEMA {catalog}.other")
    grant(spark, box)
    for kind, name in (("TABLE", "t"), ("VIEW", "v")):
        spark.sql(f"ALTER {kind} {box}.{name} SET OWNER TO `{BOB}`")
        move = f"ALTER {kind} {box}.{name} RENAME TO {catalog}.other.{name}"
        assert f"does not have USE SCHEMA on SCHEMA '{catalog}.other'" in denial(bobs, move)
    grant(spark, f"{catalog}.other", f"CREATE TABLE ON SCHEMA {catalog}.other")
    bobs.sql(f"ALTER TABLE {box}.t RENAME TO {catalog}.other.t")
    assert rows(spark, f"SELECT * FROM {catalog}.other.t") == [(1,)]

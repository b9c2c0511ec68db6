# ruff: noqa: S608  the names are the tests' own
"""The folders of external tables and volumes, by their path: as the grants on their names allow."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession
from tests.integration.engine.bearers import BOB, denial, grant, rows


def test_the_folder_of_an_external_volume_is_read_and_written_by_its_grants(
    spark: SparkSession, bobs: SparkSession, box: str, tmp_path: Path
) -> None:
    place = tmp_path / "outer" / "files"
    name = box.split(".", maxsplit=1)[0]
    spark.sql(f"CREATE EXTERNAL VOLUME {box}.e LOCATION '{place}'")
    spark.sql(f"CREATE EXTERNAL VOLUME {box}.d LOCATION 'dbfs:/{name}/files'")
    spark.range(2).write.json(f"/Volumes/{box.replace('.', '/')}/e/in")
    spark.range(2).write.json(f"/Volumes/{box.replace('.', '/')}/d/in")
    (tmp_path / "link").symlink_to(place)
    grant(spark, box)
    reads = [
        f"SELECT count(*) FROM json.`{place}/in`",
        f"SELECT count(*) FROM json.`file:{place}/in`",
        f"SELECT count(*) FROM json.`{tmp_path}/link/in`",
        f"SELECT count(*) FROM json.`{tmp_path}/o*r/*/in`",
        f"SELECT count(*) FROM read_files('{place}/in', format => 'json')",
        f"SELECT count(*) FROM json.`{place.parent}`",
    ]
    for read in reads:
        assert f"READ VOLUME on VOLUME '{box}.e'" in denial(bobs, read), read
    elsewhere = f"SELECT count(*) FROM json.`dbfs:/{name}/files/in`"
    assert f"READ VOLUME on VOLUME '{box}.d'" in denial(bobs, elsewhere)

    spark.sql(f"GRANT READ VOLUME ON SCHEMA {box} TO `{BOB}`")
    for read in (*reads[:-1], elsewhere):
        assert rows(bobs, read) == [(2,)], read
    write = f"INSERT OVERWRITE DIRECTORY '{place}/out' USING json SELECT 1 AS a"
    assert f"WRITE VOLUME on VOLUME '{box}.e'" in denial(bobs, write)
    spark.sql(f"GRANT WRITE VOLUME ON VOLUME {box}.e TO `{BOB}`")
    bobs.sql(write)
    assert rows(bobs, f"SELECT * FROM json.`{place}/out`") == [(1,)]


def test_the_folder_of_an_external_table_is_read_and_written_by_its_grants(
    spark: SparkSession, bobs: SparkSession, box: str, tmp_path: Path
) -> None:
    for kind in ("delta", "parquet"):
        table = f"{box}.of_{kind}"
        spark.sql(f"CREATE TABLE {table} (id INT) USING {kind} LOCATION '{tmp_path}/{kind}'")
        spark.sql(f"INSERT INTO {table} VALUES (1)")
    grant(spark, box)
    for kind in ("delta", "parquet"):
        read = f"SELECT count(*) FROM {kind}.`{tmp_path}/{kind}`"
        assert f"does not have SELECT on TABLE '{box}.of_{kind}'" in denial(bobs, read)
        spark.sql(f"GRANT SELECT ON TABLE {box}.of_{kind} TO `{BOB}`")
        assert rows(bobs, read) == [(1,)]
    write = f"INSERT INTO delta.`{tmp_path}/delta` VALUES (2)"
    assert f"does not have MODIFY on TABLE '{box}.of_delta'" in denial(bobs, write)
    spark.sql(f"GRANT MODIFY ON SCHEMA {box} TO `{BOB}`")
    bobs.sql(write)
    for kind, count in (("delta", 3), ("parquet", 2)):
        bobs.sql(f"INSERT INTO {box}.of_{kind} VALUES (3)")
        assert rows(bobs, f"SELECT count(*) FROM {box}.of_{kind}") == [(count,)]


def test_a_folder_beside_that_is_no_object_of_the_catalog_is_free(
    spark: SparkSession, bobs: SparkSession, box: str, tmp_path: Path
) -> None:
    spark.sql(f"CREATE EXTERNAL VOLUME {box}.e LOCATION '{tmp_path}/files'")
    spark.range(2).write.json(f"{tmp_path}/files_beside")
    assert rows(bobs, f"SELECT count(*) FROM json.`{tmp_path}/files_beside`") == [(2,)]


def test_the_folder_of_a_table_with_a_row_filter_is_open_to_admins_alone(
    spark: SparkSession, bobs: SparkSession, box: str, tmp_path: Path
) -> None:
    spark.sql(f"CREATE TABLE {box}.few (id INT) LOCATION '{tmp_path}/few'")
    spark.sql(f"INSERT INTO {box}.few VALUES (1), (2)")
    spark.sql(f"CREATE FUNCTION {box}.first(id INT) RETURNS BOOLEAN RETURN id = 1")
    spark.sql(f"ALTER TABLE {box}.few SET ROW FILTER {box}.first ON (id)")
    grant(spark, box, f"SELECT ON TABLE {box}.few")
    assert rows(bobs, f"SELECT id FROM {box}.few") == [(1,)]
    for read in (
        f"SELECT * FROM delta.`{tmp_path}/few`",
        f"SELECT * FROM delta.`{tmp_path}/few` VERSION AS OF 1",
        f"SELECT * FROM parquet.`{tmp_path}/few/*.parquet`",
        f"SELECT * FROM read_files('{tmp_path}/few', format => 'delta')",
    ):
        assert "does not have READ FILES on PATH" in denial(bobs, read), read

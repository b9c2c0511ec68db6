# ruff: noqa: S608  the names are the tests' own
"""What a user without a privilege is told, and what a group or an owner may do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf
from tests.engines import RUNTIME
from tests.integration.engine.bearers import BOB, bearing, denial, grant, rows

from laketop.settings import Settings
from laketop.workspace.daemon import Contact


@pytest.fixture(scope="module")
def root(laketop_project: Path) -> Path:
    """Return the folder of catalogs."""
    return Settings.read(laketop_project).state / "catalog"


def test_the_way_to_a_table_is_asked_for_first(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    catalog = box.split(".", maxsplit=1)[0]
    spark.sql(f"GRANT SELECT ON TABLE {box}.t TO `{BOB}`")
    read = f"SELECT * FROM {box}.t"
    assert f"does not have USE CATALOG on Catalog '{catalog}'" in denial(bobs, read)
    spark.sql(f"GRANT USE CATALOG ON CATALOG {catalog} TO `{BOB}`")
    assert f"does not have USE SCHEMA on Schema '{box}'" in denial(bobs, read)
    spark.sql(f"GRANT USE SCHEMA ON SCHEMA {box} TO `{BOB}`")
    assert rows(bobs, read) == [(1,)]


def test_a_group_within_a_group_is_granted_to_its_members(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    grant(spark, box, f"SELECT ON TABLE {box}.t", to="readers")
    assert rows(bobs, f"SELECT * FROM {box}.t") == [(1,)]
    asked = "is_account_group_member('readers'), is_account_group_member('others')"
    assert rows(bobs, f"SELECT {asked}") == [(True, False)]
    spark.sql(f"CREATE OR REPLACE VIEW {box}.v AS SELECT is_account_group_member('readers') AS me")
    spark.sql(f"GRANT SELECT ON VIEW {box}.v TO readers")
    assert rows(bobs, f"SELECT me FROM {box}.v") == [(True,)]
    assert rows(spark, f"SELECT me FROM {box}.v") == [(False,)]


def test_a_function_is_called_by_who_may_execute_it(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    grant(spark, box)
    call = f"SELECT {box}.g(1)"
    assert f"does not have EXECUTE on FUNCTION '{box}.g'" in denial(bobs, call)
    spark.sql(f"GRANT EXECUTE ON FUNCTION {box}.g TO `{BOB}`")
    assert rows(bobs, call) == [(10,)]
    assert "does not have EXECUTE" in denial(bobs, f"SELECT {box}.f(1)")


def test_the_name_that_spark_has_for_a_function_leads_around_nothing(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    grant(spark, box, f"SELECT ON TABLE {box}.t")
    spark.sql(f"CREATE FUNCTION {box}.many() RETURNS TABLE (b INT) RETURN SELECT a FROM {box}.t")
    spark.sql(f"CREATE FUNCTION {box}.outer(x INT) RETURNS INT RETURN {box}.g(x)")
    assert rows(spark, f"SELECT {box}.outer(b) FROM {box}.many()") == [(10,)]
    many = f"{box}.many" if RUNTIME == "17.3-LTS" else f"IDENTIFIER('{box}.many')"
    assert rows(spark, f"SELECT IDENTIFIER('{box}.' || 'outer')(b) FROM {many}()") == [(10,)]
    grant(spark, box, f"EXECUTE ON FUNCTION {box}.outer")
    known = f"spark_catalog.{box.replace('.', '__')}"
    for query in (
        f"SELECT {known}.g(1)",
        f"SELECT a FROM {box}.t WHERE {known}.g(a) > 1",
        f"SELECT a, (SELECT max({known}.g(b.a)) FROM {box}.t b) FROM {box}.t",
        f"SELECT sum({known}.g(a)) OVER () FROM {box}.t",
        f"SELECT * FROM {known}.many()",
        f"SELECT IDENTIFIER('{known}.' || 'g')(1)",
        f"SELECT sum(IDENTIFIER('{box}.g')(1)) OVER ()",
        f"CREATE TEMPORARY VIEW shown AS SELECT {known}.g(1) AS g",
        f"SELECT {box}.outer(1)",
    ):
        assert "does not have EXECUTE on FUNCTION" in denial(bobs, query)
    # Spark 4.0 lets IDENTIFIER name no table function by its schema, whoever asks.
    told = "TABLE_VALUED_FUNC_NAME" if RUNTIME == "17.3-LTS" else "does not have EXECUTE"
    assert told in denial(bobs, f"SELECT * FROM IDENTIFIER('{known}.many')()")
    with pytest.raises(PySparkException, match="does not have EXECUTE"):
        bobs.table(f"{box}.t").select(sf.call_function(f"{known}.g", "a")).collect()
    bobs.conf.set("spark.sql.path.enabled", "true")
    assert "UNSUPPORTED_FEATURE" in denial(bobs, f"SELECT * FROM {box}.t")
    bobs.conf.unset("spark.sql.path.enabled")
    for session in (spark, bobs):
        assert "SCHEMA_NOT_FOUND" in denial(session, f"SHOW FUNCTIONS IN {known}")


def test_a_function_that_is_named_by_a_text_needs_execute(
    spark: SparkSession, bobs_token: str, laketop_engine: str, box: str
) -> None:
    grant(spark, box, f"SELECT ON TABLE {box}.t")
    spark.sql(f"CREATE FUNCTION {box}.many() RETURNS TABLE (b INT) RETURN SELECT a FROM {box}.t")
    query = "SELECT IDENTIFIER('' || 'g')(b) FROM IDENTIFIER('ma' || 'ny')()"
    with bearing(bobs_token, laketop_engine) as session:
        session.sql(f"USE {box}")
        for function in ("many", "g"):
            assert "does not have EXECUTE on FUNCTION" in denial(session, query)
            grant(spark, box, f"EXECUTE ON FUNCTION {box}.{function}")
        assert rows(session, query) == [(10,)]


@pytest.mark.parametrize("key", ["enabled", "dualRunWithLegacy", "returnSinglePassResultInDualRun"])
def test_no_session_turns_to_an_analyzer_that_asks_for_no_grant(
    spark: SparkSession, bobs: SparkSession, box: str, key: str
) -> None:
    conf = f"spark.sql.analyzer.singlePassResolver.{key}"
    for session in (spark, bobs):
        assert "CANNOT_MODIFY" in denial(session, f"SET {conf}=true")
        with pytest.raises(PySparkException, match=conf):
            session.conf.set(conf, "true")
    place = rows(spark, f"DESCRIBE DETAIL {box}.t")[0][4].removeprefix("file:")
    assert "does not have READ FILES" in denial(bobs, f"SELECT * FROM parquet.`{place}`")


def test_a_denial_has_the_class_and_the_words_that_databricks_gives_it(
    workspace: Contact, bobs: SparkSession, bobs_token: str, box: str
) -> None:
    sentence = (
        f"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User '{BOB}' does not have"
        f" USE CATALOG on Catalog '{box.split('.', maxsplit=1)[0]}'."
    )
    with pytest.raises(PySparkException) as caught:
        bobs.sql(f"SELECT * FROM {box}.t").collect()
    told = str(caught.value).partition("\n\nJVM stacktrace:")[0]
    assert told == f"(org.apache.spark.SparkSecurityException) {sentence}"
    assert caught.value.getCondition() == "INSUFFICIENT_PERMISSIONS"
    assert caught.value.getSqlState() == "42501"

    client = WorkspaceClient(host=workspace.url, token=bobs_token)
    warehouse = next(iter(client.warehouses.list())).id or ""
    done = client.statement_execution.execute_statement(f"SELECT * FROM {box}.t", warehouse)
    assert done.status is not None
    assert done.status.error is not None
    assert done.status.error.message == sentence


def test_all_privileges_are_not_manage(spark: SparkSession, bobs: SparkSession, box: str) -> None:
    grant(spark, box, f"ALL PRIVILEGES ON TABLE {box}.t")
    bobs.sql(f"INSERT INTO {box}.t VALUES (2)")
    assert "does not have MANAGE" in denial(bobs, f"DROP TABLE {box}.t")
    assert "does not have MANAGE" in denial(bobs, f"GRANT SELECT ON TABLE {box}.t TO `{BOB}`")
    spark.sql(f"REVOKE ALL PRIVILEGES ON TABLE {box}.t FROM `{BOB}`")
    assert "does not have SELECT" in denial(bobs, f"SELECT * FROM {box}.t")


def test_writing_needs_reading_too(spark: SparkSession, bobs: SparkSession, box: str) -> None:
    grant(spark, box, f"MODIFY ON TABLE {box}.t")
    assert "does not have SELECT" in denial(bobs, f"INSERT INTO {box}.t VALUES (2)")
    assert "does not have SELECT" in denial(bobs, f"DELETE FROM {box}.t WHERE a = 1")


def test_the_owner_of_a_schema_manages_but_does_not_read_what_others_made(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    grant(spark, box, f"CREATE TABLE ON SCHEMA {box}")
    bobs.sql(f"CREATE TABLE {box}.mine AS SELECT 5 AS a")
    assert rows(bobs, f"SELECT a FROM {box}.mine") == [(5,)]
    spark.sql(f"ALTER TABLE {box}.t SET OWNER TO `someone@laketop.local`")
    spark.sql(f"ALTER SCHEMA {box} SET OWNER TO `{BOB}`")
    assert "does not have SELECT" in denial(bobs, f"SELECT * FROM {box}.t")
    bobs.sql(f"GRANT SELECT ON TABLE {box}.t TO `{BOB}`")
    assert rows(bobs, f"SELECT * FROM {box}.t") == [(1,)]


def test_what_was_granted_on_an_object_is_not_another_kinds_of_its_name(
    spark: SparkSession, box: str
) -> None:
    spark.sql(f"CREATE FUNCTION {box}.t() RETURNS INT RETURN 1")
    spark.sql(f"CREATE VOLUME {box}.t")
    for privilege in ("SELECT ON TABLE", "EXECUTE ON FUNCTION", "READ VOLUME ON VOLUME"):
        spark.sql(f"GRANT {privilege} {box}.t TO `{BOB}`")
    spark.sql(f"ALTER TABLE {box}.t RENAME TO {box}.u")
    shown = {kind: f"SHOW GRANTS ON {kind} {box}.t" for kind in ("FUNCTION", "VOLUME")}
    assert rows(spark, shown["FUNCTION"]) == [(BOB, "EXECUTE", "FUNCTION", f"{box}.t")]
    spark.sql(f"DROP FUNCTION {box}.t")
    assert rows(spark, shown["VOLUME"]) == [(BOB, "READ VOLUME", "VOLUME", f"{box}.t")]
    assert rows(spark, f"SHOW GRANTS ON TABLE {box}.u") == [(BOB, "SELECT", "TABLE", f"{box}.u")]


@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        ("GRANT SELECT ON TABLE {}.none TO `x`", "TABLE_OR_VIEW_NOT_FOUND"),
        ("REVOKE SELECT ON TABLE {}.none FROM `x`", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SHOW GRANTS ON TABLE {}.none", "TABLE_OR_VIEW_NOT_FOUND"),
        ("ALTER TABLE {}.none SET OWNER TO `x`", "TABLE_OR_VIEW_NOT_FOUND"),
        ("GRANT READ VOLUME ON VOLUME {}.none TO `x`", "UC_VOLUME_NOT_FOUND"),
        ("GRANT EXECUTE ON FUNCTION {}.none TO `x`", "ROUTINE_NOT_FOUND"),
        ("GRANT SELECT ON SCHEMA {}_none TO `x`", "SCHEMA_NOT_FOUND"),
        ("GRANT USE CATALOG ON CATALOG nowhere TO `x`", "NO_SUCH_CATALOG_EXCEPTION"),
        ("GRANT EXECUTE ON TABLE {}.t TO `x`", "INVALID_PARAMETER_VALUE"),
        ("DENY SELECT ON TABLE {}.t TO `x`", "DENY is not supported in Unity Catalog"),
    ],
)
def test_a_grant_that_cannot_be_says_why(
    spark: SparkSession, box: str, statement: str, condition: str
) -> None:
    assert condition in denial(spark, statement.format(box))


def test_others_grants_are_shown_to_who_manages(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    grant(spark, box, f"SELECT ON TABLE {box}.t")
    spark.sql(f"GRANT MODIFY ON TABLE {box}.t TO `eve@laketop.local`")
    shown = {row[0] for row in rows(spark, f"SHOW GRANTS ON TABLE {box}.t")}
    assert shown == {BOB, "eve@laketop.local"}
    assert {row[0] for row in rows(bobs, f"SHOW GRANTS ON TABLE {box}.t")} == {BOB}


def test_a_reader_of_production_sees_masked_columns_and_filtered_rows_and_writes_nothing(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    spark.sql(
        f"CREATE TABLE {box}.people AS SELECT * FROM VALUES (1, 'a@x'), (2, 'b@x') AS t(id, mail)"
    )
    spark.sql(
        f"CREATE FUNCTION {box}.mask(mail STRING) RETURNS STRING"
        " RETURN IF(is_account_group_member('readers'), '***', mail)"
    )
    spark.sql(
        f"CREATE FUNCTION {box}.mine(id INT) RETURNS BOOLEAN"
        " RETURN id = 1 OR NOT is_account_group_member('readers')"
    )
    spark.sql(f"ALTER TABLE {box}.people ALTER COLUMN mail SET MASK {box}.mask")
    spark.sql(f"ALTER TABLE {box}.people SET ROW FILTER {box}.mine ON (id)")
    grant(spark, box, f"SELECT ON TABLE {box}.people")
    assert rows(bobs, f"SELECT * FROM {box}.people") == [(1, "***")]
    assert [tuple(r) for r in bobs.table(f"{box}.people").select("mail").collect()] == [("***",)]
    assert rows(spark, f"SELECT * FROM {box}.people ORDER BY id") == [(1, "a@x"), (2, "b@x")]
    assert "does not have MODIFY" in denial(bobs, f"DELETE FROM {box}.people")
    assert "does not have MANAGE" in denial(bobs, f"ALTER TABLE {box}.people DROP ROW FILTER")


def test_copy_into_asks_for_the_table_and_the_volume(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    path = f"/Volumes/{box.replace('.', '/')}/files/in"
    spark.range(3).selectExpr("CAST(id AS INT) AS a").write.json(path)
    grant(spark, box, f"SELECT ON TABLE {box}.t")
    copy = f"COPY INTO {box}.t FROM '{path}' FILEFORMAT = JSON"
    assert "does not have READ VOLUME" in denial(bobs, copy)
    assert "does not have READ VOLUME" in denial(
        bobs, f"SELECT * FROM read_files('{path}', format => 'json')"
    )
    spark.sql(f"GRANT READ VOLUME ON VOLUME {box}.files TO `{BOB}`")
    assert "does not have MODIFY" in denial(bobs, copy)
    spark.sql(f"GRANT MODIFY ON TABLE {box}.t TO `{BOB}`")
    assert rows(bobs, copy) == [(3, 3, 0)]


@pytest.fixture
def folder(root: Path, box: str) -> Path:
    """Return where the table of the box lies."""
    return root / box.replace(".", "/") / "t"


@pytest.fixture
def key(root: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Return a file of the state folder, as that of the admin's token, and a way by a link."""
    file = root.parent / f"key-{uuid.uuid4().hex}"
    file.write_text("secret", encoding="utf-8")
    (tmp_path / "link").symlink_to(root.parent)
    yield file, tmp_path / "link" / file.name
    file.unlink()


CLOSED = (
    "SELECT * FROM text.`{key}`",
    "SELECT * FROM binaryFile.`file:{key}`",
    "SELECT * FROM text.`{link}`",
    "SELECT * FROM text.`dbfs:/../{key.name}`",
    "SELECT * FROM json.`{folder}/_delta_log/*.json`",
    "SELECT * FROM json.`dbfs:/../catalog/{path}/t/_delta_log`",
    "SELECT * FROM delta.`{folder}`",
    "SELECT * FROM text.`/Volumes/{path}`",
    "CREATE TABLE {box}.x USING delta LOCATION '{folder}'",
    "CREATE TABLE {box}.x USING delta OPTIONS (path 'file://{folder}')",
    "CREATE TABLE {box}.x (a INT) USING csv LOCATION '{folder}'",
    "CREATE TABLE {box}.x USING delta LOCATION '{folder}' AS SELECT 1 AS a",
    "INSERT OVERWRITE DIRECTORY '{folder}' USING json SELECT 1",
    "INSERT OVERWRITE DIRECTORY USING json OPTIONS (path '{folder}') SELECT 1",
    "ALTER TABLE delta.`{folder}` SET TBLPROPERTIES ('x' = 'y')",
    "SELECT * FROM table_changes('{box}.t', 0)",
    "SELECT * FROM table_changes_by_path('{folder}', 0)",
)


def test_files_of_the_state_folder_are_closed_by_path(
    spark: SparkSession, bobs: SparkSession, box: str, folder: Path, key: tuple[Path, Path]
) -> None:
    spark.sql(f"ALTER TABLE {box}.t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    grant(spark, box, f"CREATE TABLE ON SCHEMA {box}")
    path = box.replace(".", "/")
    for statement in CLOSED:
        written = statement.format(box=box, folder=folder, key=key[0], link=key[1], path=path)
        told = denial(bobs, written)
        outside = "dbfs:/.." in written  # there is nothing, for nobody
        assert outside or "INSUFFICIENT_PERMISSIONS" in told, (written, told)
    assert rows(spark, f"SELECT * FROM {box}.t") == [(1,)]


def test_files_of_the_state_folder_are_closed_to_frames_and_streams(
    spark: SparkSession, bobs: SparkSession, box: str, folder: Path, tmp_path: Path
) -> None:
    grant(spark, box, f"CREATE TABLE ON SCHEMA {box}")
    one, pattern = bobs.sql("SELECT 1 AS a"), str(folder).replace("catalog", "c*g")
    stream = bobs.readStream.format("rate").load().selectExpr("CAST(value AS INT) AS a")
    checkpoint = stream.writeStream.option("checkpointLocation", str(tmp_path / "c"))
    elsewhere = stream.writeStream.option("checkpointLocation", str(folder.parents[1] / "new"))
    for act in (
        lambda: one.write.option("path", str(folder)).saveAsTable(f"{box}.x"),
        lambda: one.write.mode("overwrite").json(f"{folder}/_delta_log"),
        lambda: one.write.mode("overwrite").json(str(folder.parents[3])),
        lambda: bobs.readStream.schema("a INT").json(pattern).schema,
        lambda: bobs.readStream.format("text").option("PATH", str(folder)).load().schema,
        lambda: checkpoint.format("delta").start(str(folder)),
        lambda: checkpoint.format("json").start(str(folder)),
        lambda: elsewhere.format("json").start(str(tmp_path / "out")),
    ):
        with pytest.raises(Exception, match="INSUFFICIENT_PERMISSIONS"):
            act()
    assert rows(spark, f"SELECT * FROM {box}.t") == [(1,)]
    assert not (folder.parents[1] / "new").exists()


def test_a_user_reads_and_writes_own_tables_dbfs_and_granted_volumes(
    spark: SparkSession, bobs: SparkSession, box: str, tmp_path: Path
) -> None:
    volume, dbfs = f"/Volumes/{box.replace('.', '/')}/files", f"dbfs:/{box}"
    grant(spark, box, f"CREATE TABLE ON SCHEMA {box}", f"WRITE VOLUME ON VOLUME {box}.files")
    spark.sql(f"GRANT READ VOLUME ON VOLUME {box}.files TO `{BOB}`")
    logged = "TBLPROPERTIES ('delta.checkpointInterval' = '1')"
    bobs.sql(f"CREATE TABLE {box}.mine (a INT) {logged}")
    for value in (1, 2):
        bobs.sql(f"INSERT INTO {box}.mine VALUES ({value})")
    bobs.sql(f"DELETE FROM {box}.mine WHERE a = 2")
    bobs.table(f"{box}.mine").write.json(f"{volume}/in")
    query = (
        bobs.readStream.table(f"{box}.mine")
        .writeStream.option("checkpointLocation", f"{volume}/state")
        .trigger(availableNow=True)
    )
    bobs.sql(f"CREATE TABLE {box}.copy (a INT)")
    query.toTable(f"{box}.copy").awaitTermination()
    assert rows(bobs, f"SELECT a FROM {box}.copy") == [(1,)]
    bobs.sql(f"CREATE TABLE {box}.placed USING delta LOCATION '{dbfs}/placed' AS SELECT 3 AS a")
    bobs.table(f"{box}.placed").write.json(f"{dbfs}/in")
    for place in (f"{volume}/in", f"{dbfs}/in", str(tmp_path / "in")):
        bobs.range(1).selectExpr("7 AS a").write.mode("overwrite").json(place)
        assert rows(bobs, f"SELECT a FROM json.`{place}`") == [(7,)]
    bobs.sql(f"INSERT OVERWRITE DIRECTORY '{dbfs}/out' USING json SELECT 1 AS a")
    assert rows(bobs, "SELECT count(*) > 0 FROM json.`/databricks-datasets/retail-org/*`")


def test_a_masked_column_keeps_its_name_and_its_changes(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    named = "'delta.columnMapping.mode' = 'name'"
    spark.sql(f"CREATE TABLE {box}.p TBLPROPERTIES ({named}) AS SELECT 1 AS id, 'x' AS ssn")
    spark.sql(f"CREATE FUNCTION {box}.hide(s STRING) RETURNS STRING RETURN '***'")
    spark.sql(f"ALTER TABLE {box}.p ALTER COLUMN ssn SET MASK {box}.hide")
    grant(spark, box, f"SELECT ON TABLE {box}.p", f"MODIFY ON TABLE {box}.p")
    for change in ("RENAME COLUMN SSN TO s", "DROP COLUMN ssn"):
        assert "has a mask" in denial(bobs, f"ALTER TABLE {box}.p {change}")
    fed = "SET TBLPROPERTIES ('delta.enableChangeDataFeed' = '{}')"
    bobs.sql(f"ALTER TABLE {box}.p {fed.format('true')}")
    assert "are not shown" in denial(bobs, f"SELECT * FROM table_changes('{box}.p', 1)")
    bobs.sql(f"ALTER TABLE {box}.p {fed.format('false')}")
    bobs.sql(f"ALTER TABLE {box}.p RENAME COLUMN id TO number")
    assert rows(bobs, f"SELECT number, ssn FROM {box}.p") == [(1, "***")]


def test_who_may_not_drop_a_mask_or_filter_learns_nothing_by_changing_rows(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    spark.sql(f"CREATE TABLE {box}.p AS SELECT 1 AS id, 'x' AS ssn, 'a' AS note")
    spark.sql(f"CREATE FUNCTION {box}.hide(s STRING) RETURNS STRING RETURN '***'")
    spark.sql(f"CREATE FUNCTION {box}.none(i INT) RETURNS BOOLEAN RETURN i > 1")
    spark.sql(f"ALTER TABLE {box}.p ALTER COLUMN ssn SET MASK {box}.hide")
    grant(spark, box, f"SELECT ON TABLE {box}.p", f"MODIFY ON TABLE {box}.p")
    source = f"MERGE INTO {box}.p t USING (SELECT 1 AS id, 'y' AS ssn) s ON"
    for statement in (
        f"UPDATE {box}.p SET note = 'b' WHERE ssn = 'x'",
        f"UPDATE {box}.p SET note = ssn",
        f"DELETE FROM {box}.p WHERE id = 1 AND upper(ssn) LIKE 'X%'",
        f"{source} t.ssn = s.ssn WHEN MATCHED THEN DELETE",
        f"{source} t.id = s.id WHEN MATCHED AND t.ssn > s.ssn THEN DELETE",
        f"{source} t.id = s.id WHEN MATCHED THEN UPDATE SET note = t.ssn",
        f"{source} t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.ssn = 'x' THEN DELETE",
        f"INSERT INTO {box}.p REPLACE WHERE ssn = 'x' SELECT 1, 'x', 'c'",
        f"INSERT INTO {box}.p REPLACE USING (ssn) SELECT 1, 'x', 'c'",
    ):
        lacking = "REPLACE USING" in statement and RUNTIME == "17.3-LTS"
        told = "is not there with the runtime" if lacking else "The column ssn has a mask"
        assert told in denial(bobs, statement), statement
    bobs.sql(f"UPDATE {box}.p SET ssn = 'z' WHERE id = 1")
    bobs.sql(f"{source} t.id = s.id WHEN MATCHED THEN UPDATE SET ssn = s.ssn, note = 'd'")
    spark.sql(f"ALTER TABLE {box}.p ALTER COLUMN ssn DROP MASK")
    spark.sql(f"ALTER TABLE {box}.p SET ROW FILTER {box}.none ON (id)")
    assert "row filter" in denial(bobs, f"DELETE FROM {box}.p WHERE id = 1")
    assert rows(spark, f"SELECT * FROM {box}.p") == []
    spark.sql(f"ALTER TABLE {box}.p DROP ROW FILTER")
    assert rows(spark, f"SELECT * FROM {box}.p") == [(1, "y", "d")]


def test_a_python_function_is_called_by_whoever_may_and_through_its_owners_view(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    spark.sql(f"CREATE FUNCTION {box}.p(x INT) RETURNS INT LANGUAGE PYTHON AS $$ return x + 1 $$")
    spark.sql(f"CREATE VIEW {box}.w AS SELECT {box}.p(a) AS b FROM {box}.t")
    grant(spark, box, f"SELECT ON VIEW {box}.w")
    assert "does not have EXECUTE on" in denial(bobs, f"SELECT {box}.p(1)")
    assert rows(bobs, f"SELECT * FROM {box}.w") == [(2,)]
    spark.sql(f"GRANT EXECUTE ON FUNCTION {box}.p TO `{BOB}`")
    assert rows(bobs, f"SELECT {box}.p(2)") == [(3,)]


def test_a_dropped_table_is_its_owners_to_bring_back_with_its_mask_and_grants(
    spark: SparkSession, bobs: SparkSession, box: str
) -> None:
    dropped = f"SHOW TABLES DROPPED IN {box}"
    grant(spark, box, f"CREATE TABLE ON SCHEMA {box}")
    spark.sql(f"GRANT SELECT ON TABLE {box}.t TO `{BOB}`")
    spark.sql(f"CREATE FUNCTION {box}.hide(i INT) RETURNS INT RETURN 0")
    spark.sql(f"ALTER TABLE {box}.t ALTER COLUMN a SET MASK {box}.hide")
    spark.sql(f"DROP TABLE {box}.t")
    bobs.sql(f"CREATE TABLE {box}.mine AS SELECT 1 AS a")
    bobs.sql(f"DROP TABLE {box}.mine")
    listed = [row.tableName for row in bobs.sql(dropped).collect()]
    assert listed == ["mine"]
    assert {row.tableName for row in spark.sql(dropped).collect()} == {"mine", "t"}
    identity = next(row.tableId for row in spark.sql(dropped).collect() if row.tableName == "t")
    for statement in (f"UNDROP TABLE {box}.t", f"UNDROP TABLE WITH ID '{identity}'"):
        assert "TABLE_OR_VIEW_NOT_FOUND" in denial(bobs, statement)

    bobs.sql(f"UNDROP TABLE {box}.mine")
    assert rows(bobs, f"SELECT * FROM {box}.mine") == [(1,)]
    spark.sql(f"UNDROP TABLE WITH ID '{identity}'")
    assert rows(bobs, f"SELECT * FROM {box}.t") == [(0,)]
    assert "does not have MODIFY on" in denial(bobs, f"DELETE FROM {box}.t")

    bobs.sql(f"DROP TABLE {box}.mine")
    spark.sql(f"REVOKE CREATE TABLE ON SCHEMA {box} FROM `{BOB}`")
    assert "does not have CREATE TABLE on" in denial(bobs, f"UNDROP TABLE {box}.mine")
    spark.sql(f"REVOKE USE SCHEMA ON SCHEMA {box} FROM `{BOB}`")
    assert rows(bobs, dropped) == []


def test_a_mask_behind_a_check_of_a_column_called_as_a_type_is_of_its_own_column(
    spark: SparkSession, box: str
) -> None:
    spark.sql(f"CREATE FUNCTION {box}.hide(s STRING) RETURNS STRING RETURN 'x'")
    few = "CONSTRAINT few CHECK (array < 5)"
    columns = f"array INT, {few}, m MAP<STRING, DECIMAL(9,2)>, s STRING MASK {box}.hide, z STRING"
    spark.sql(f"CREATE TABLE {box}.masked ({columns})")
    spark.sql(f"INSERT INTO {box}.masked SELECT 1, NULL, 'secret', 'seen'")
    assert rows(spark, f"SELECT array, s, z FROM {box}.masked") == [(1, "x", "seen")]

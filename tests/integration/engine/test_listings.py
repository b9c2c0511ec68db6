# ruff: noqa: S608  the names are the tests' own
"""What lists objects shows all the same ones, and to a principal only what they may see."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from tests.engines import RUNTIME
from tests.integration.engine.bearers import bearing, principal

from laketop.settings import Settings
from laketop.workspace.daemon import Contact

EVE = "eve@laketop.local"


@pytest.fixture
def eves(workspace: Contact, laketop_engine: str) -> Iterator[SparkSession]:
    with principal(workspace, EVE) as token, bearing(token, laketop_engine) as session:
        yield session


@pytest.fixture
def shelf(spark: SparkSession) -> Iterator[str]:
    """Return a catalog with a schema `s` of objects and a schema `t` without any."""
    catalog = f"lists_{uuid.uuid4().hex[:8]}"
    for statement in (
        f"CREATE CATALOG {catalog}",
        f"CREATE SCHEMA {catalog}.s",
        f"CREATE SCHEMA {catalog}.t",
        f"CREATE TABLE {catalog}.s.a (x INT NOT NULL, y STRING COMMENT 'the y')",
        f"CREATE TABLE {catalog}.s.b (x INT)",
        f"CREATE VIEW {catalog}.s.v AS SELECT x FROM {catalog}.s.b",
        f"CREATE FUNCTION {catalog}.s.f(x INT) RETURNS INT RETURN x + 1",
        f"CREATE VOLUME {catalog}.s.files",
    ):
        spark.sql(statement)
    yield catalog
    spark.sql("SET CATALOG main")
    spark.sql(f"DROP CATALOG {catalog} CASCADE")


def listed(session: SparkSession, statement: str, column: str) -> list[str]:
    return sorted(row[column] for row in session.sql(statement).collect())


# Spark 4.0 takes what Delta adds for functions of the session, as SHOW USER FUNCTIONS tells.
OF_DELTA = {"table_changes", "table_changes_by_path"} if RUNTIME == "17.3-LTS" else set()


def everything(session: SparkSession, catalog: str) -> dict[str, list[str]]:
    """Return what SHOW statements list of the catalog and of its schema `s`."""
    functions = listed(session, f"SHOW USER FUNCTIONS IN {catalog}.s", "function")
    return {
        "catalogs": listed(session, f"SHOW CATALOGS LIKE '{catalog}'", "catalog"),
        "schemas": listed(session, f"SHOW SCHEMAS IN {catalog}", "databaseName"),
        "tables": listed(session, f"SHOW TABLES IN {catalog}.s", "tableName"),
        "views": listed(session, f"SHOW VIEWS IN {catalog}.s", "viewName"),
        "volumes": listed(session, f"SHOW VOLUMES IN {catalog}.s", "volume_name"),
        "functions": [name for name in functions if name not in OF_DELTA],
        "whole": listed(session, f"SHOW TABLES IN CATALOG {catalog} SCHEMA LIKE 's'", "tableName"),
    }


def test_columns_are_listed_as_the_newest_commit_has_them(spark: SparkSession, shelf: str) -> None:
    spark.sql(f"CREATE TABLE {shelf}.s.p (x INT, y DATE, z DECIMAL(9, 2)) PARTITIONED BY (y)")
    spark.sql(f"ALTER TABLE {shelf}.s.p ADD COLUMN w VARCHAR(5) COMMENT 'new'")
    names = "column_name, full_data_type, partition_ordinal_position AS place, comment"
    listing = f"FROM {shelf}.information_schema.columns WHERE table_name = 'p'"
    found = [tuple(row) for row in spark.sql(f"SELECT {names} {listing}").collect()]
    assert found == [
        ("x", "int", None, None),
        ("y", "date", 1, None),
        ("z", "decimal(9,2)", None, None),
        ("w", "varchar(5)", None, "new"),
    ]
    spark.sql(f"ALTER TABLE {shelf}.s.p ALTER COLUMN w COMMENT 'newer'")
    shown = spark.sql(f"SHOW COLUMNS IN CATALOG {shelf} TABLE LIKE 'p' LIKE 'w'").collect()
    assert [(row.columnType, row.remarks) for row in shown] == [("VARCHAR(5)", "newer")]


def test_lists_show_a_principal_only_what_they_may_see(
    spark: SparkSession, eves: SparkSession, shelf: str
) -> None:
    assert listed(eves, f"SHOW CATALOGS LIKE '{shelf}'", "catalog") == []
    assert shelf not in [catalog.name for catalog in eves.catalog.listCatalogs()]
    for grant in (
        f"USE CATALOG ON CATALOG {shelf}",
        f"USE SCHEMA ON SCHEMA {shelf}.s",
        f"SELECT ON TABLE {shelf}.s.a",
        f"READ VOLUME ON VOLUME {shelf}.s.files",
    ):
        spark.sql(f"GRANT {grant} TO `{EVE}`")
    assert everything(eves, shelf) == {
        "catalogs": [shelf],
        "schemas": ["information_schema", "s"],
        "tables": ["a"],
        "views": [],
        "volumes": ["files"],
        "functions": [],
        "whole": ["a"],
    }
    assert shelf in [catalog.name for catalog in eves.catalog.listCatalogs()]
    eves.catalog.setCurrentCatalog(shelf)
    assert [table.name for table in eves.catalog.listTables("s")] == ["a"]
    spark.sql(f"GRANT BROWSE ON CATALOG {shelf} TO `{EVE}`")
    assert everything(eves, shelf) == everything(spark, shelf)


def test_sql_spark_catalog_and_rest_list_the_same_objects(
    spark: SparkSession, workspace: Contact, shelf: str
) -> None:
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    told = everything(spark, shelf)
    spark.catalog.setCurrentCatalog(shelf)
    assert spark.catalog.currentCatalog() == shelf
    assert spark.catalog.currentDatabase() == "default"

    catalogs = [catalog.name for catalog in spark.catalog.listCatalogs()]
    assert {shelf, "main", "samples", "system"} <= set(catalogs)
    assert set(catalogs) == {catalog.name for catalog in client.catalogs.list()}
    assert [c.name for c in spark.catalog.listCatalogs(f"{shelf}|none")] == [shelf]

    databases = sorted(database.name for database in spark.catalog.listDatabases())
    schemas = sorted(schema.name or "" for schema in client.schemas.list(shelf))
    assert databases == told["schemas"] == sorted(["information_schema", *schemas])

    tables = sorted(table.name for table in spark.catalog.listTables("s"))
    over_rest = sorted(table.name or "" for table in client.tables.list(shelf, "s"))
    assert tables == over_rest == told["tables"] == told["whole"] == ["a", "b", "v"]

    spark.sql(f"COMMENT ON TABLE {shelf}.s.a IS 'the a'")
    spark.range(1).createOrReplaceTempView("lists_temporary")
    kinds = [
        (t.name, t.tableType, t.description, t.isTemporary, t.namespace)
        for t in spark.catalog.listTables(f"{shelf}.s", "a|V|lists*")
    ]
    spark.catalog.dropTempView("lists_temporary")
    assert kinds == [
        ("a", "MANAGED", "the a", False, ["s"]),
        ("v", "VIEW", None, False, ["s"]),
        ("lists_temporary", "TEMPORARY", None, True, []),
    ]
    assert "a" not in [table.name for table in spark.catalog.listTables()]
    with pytest.raises(AnalysisException, match="SCHEMA_NOT_FOUND"):
        spark.catalog.listTables(f"{shelf}.none")

    columns = [(c.name, c.dataType, c.nullable) for c in spark.catalog.listColumns("s.a")]
    table = client.tables.get(f"{shelf}.s.a")
    assert columns == [("x", "int", False), ("y", "string", True)]
    assert columns == [(c.name, c.type_text, c.nullable) for c in table.columns or []]
    found = spark.catalog.getTable(f"{shelf}.s.a")
    assert (found.catalog, found.namespace, found.name) == (shelf, ["s"], "a")
    assert found.tableType == (table.table_type and table.table_type.value)

    functions = spark.catalog.listFunctions("s", pattern="f")
    over_rest = [function.full_name or "" for function in client.functions.list(shelf, "s")]
    assert [f"{f.catalog}.s.{f.name}" for f in functions] == over_rest == told["functions"]
    volumes = [volume.name for volume in client.volumes.list(shelf, "s")]
    assert volumes == told["volumes"] == ["files"]


def test_a_table_deleted_over_rest_comes_back_until_its_schema_is_deleted(
    spark: SparkSession, shelf: str, workspace: Contact
) -> None:
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    spark.sql(f"GRANT SELECT ON TABLE {shelf}.s.b TO `{EVE}`")
    client.tables.delete(f"{shelf}.s.b")
    assert listed(spark, f"SHOW TABLES DROPPED IN {shelf}.s", "tableName") == ["b"]
    spark.sql(f"UNDROP TABLE {shelf}.s.b")
    assert spark.table(f"{shelf}.s.b").columns == ["x"]
    assert listed(spark, f"SHOW GRANTS ON TABLE {shelf}.s.b", "Principal") == [EVE]

    client.tables.delete(f"{shelf}.s.b")
    client.schemas.delete(f"{shelf}.s", force=True)
    spark.sql(f"CREATE SCHEMA {shelf}.s")
    assert listed(spark, f"SHOW TABLES DROPPED IN {shelf}.s", "tableName") == []


def test_what_show_create_table_writes_makes_the_same_table_again(
    spark: SparkSession, shelf: str, tmp_path: Path
) -> None:
    spark.sql(f"USE {shelf}.s")
    spark.sql("CREATE TABLE p (id INT NOT NULL, CONSTRAINT pk PRIMARY KEY (id))")
    spark.sql("CREATE FUNCTION m(v STRING, d DATE) RETURNS STRING RETURN concat(v, year(d))")
    spark.sql("CREATE FUNCTION keep(y INT) RETURNS BOOLEAN RETURN y > 2000")
    spark.sql(
        "CREATE TABLE t (`a b` INT NOT NULL COMMENT 'it\\'s', id BIGINT GENERATED BY DEFAULT AS"
        " IDENTITY (START WITH 10 INCREMENT BY 5), d DATE, y INT GENERATED ALWAYS AS (year(d)),"
        " v STRING DEFAULT 'x' MASK m USING COLUMNS (d), w VARCHAR(5),"
        " CONSTRAINT c CHECK (`a b` > 0), CONSTRAINT fk FOREIGN KEY (`a b`) REFERENCES p (id))"
        " CLUSTER BY (d) COMMENT 'the t' TBLPROPERTIES ('delta.columnMapping.mode' = 'name',"
        " 'delta.feature.allowColumnDefaults' = 'supported', 'team' = 'ml')"
        " WITH ROW FILTER keep ON (y)"
    )
    spark.sql(
        "CREATE TABLE q (a INT, b INT) USING csv OPTIONS (header 'true') PARTITIONED BY (b)"
        f" LOCATION '{tmp_path}' TBLPROPERTIES ('k' = 'v')"
    )
    spark.sql("CREATE VIEW w (b COMMENT 'the b', `c d`) COMMENT 'w' AS SELECT a, b AS c FROM q")
    for kind, name in (("VIEW", "w"), ("TABLE", "t"), ("TABLE", "q")):
        written = listed(spark, f"SHOW CREATE TABLE {name}", "createtab_stmt")
        spark.sql(f"DROP {kind} {name}")
        spark.sql(written[0])
        assert listed(spark, f"SHOW CREATE TABLE {name}", "createtab_stmt") == written


def test_a_list_tells_the_comment_of_a_table_whose_newest_commits_do_not_have_it(
    spark: SparkSession, shelf: str, laketop_project: Path
) -> None:
    spark.sql(
        f"CREATE TABLE {shelf}.s.long (x INT) COMMENT 'kept'"
        " TBLPROPERTIES (delta.checkpointInterval = 2)"
    )
    for x in range(2):
        spark.sql(f"INSERT INTO {shelf}.s.long VALUES ({x})")
    log = Settings.read(laketop_project).state / "catalog" / shelf / "s" / "long" / "_delta_log"
    assert (log / f"{2:020}.checkpoint.parquet").exists()
    # A checkpoint stands in for the first commit, and many have come since: nobody reads it.
    first = log / f"{0:020}.json"
    first.write_text(first.read_text().replace("kept", "read"), encoding="utf-8")
    for version in range(3, 24):
        commit = '{"commitInfo": {"timestamp": 0, "operation": "Manual Update"}}\n'
        (log / f"{version:020}.json").write_text(commit, encoding="utf-8")
    rows = spark.sql(f"SHOW TABLES IN CATALOG {shelf} LIKE 'long'").collect()
    rows += spark.table(f"{shelf}.information_schema.tables").where("table_name = 'long'").collect()
    told = [row["remarks"] if "remarks" in row else row["comment"] for row in rows]
    assert told == ["kept", "kept"]

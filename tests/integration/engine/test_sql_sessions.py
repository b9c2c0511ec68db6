"""Sessions of SQL through databricks-sql-connector, as it is published."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import QueryFilter
from databricks.sql.client import Connection
from databricks.sql.exc import ServerOperationError
from pyspark.sql import SparkSession
from tests.engines import RUNTIME

from laketop.workspace.daemon import Contact

Connect = Callable[..., Connection]


@pytest.fixture
def connect(workspace: Contact, laketop_engine: str) -> Iterator[Connect]:
    assert laketop_engine
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    warehouse = next(iter(client.warehouses.list()))
    assert warehouse.odbc_params is not None
    path = warehouse.odbc_params.path
    place = urlsplit(workspace.url)
    opened: list[Connection] = []

    def connect(**more: object) -> Connection:
        opened.append(
            sql.connect(
                server_hostname=f"{place.scheme}://{place.hostname}",
                _port=place.port,
                http_path=path,
                access_token=workspace.token,
                use_sea=True,
                enable_telemetry=False,
                **more,
            )
        )
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def test_rows_have_the_types_of_python_with_links_and_inline(connect: Connect) -> None:
    text = (
        "SELECT 7 AS n, 2.50BD AS d, date '2013-01-02' AS day, 'it''s' AS s, true AS b,"
        " timestamp '2013-01-02 03:04:05' AS t, null AS nothing, :name AS name"
    )
    moment = dt.datetime(2013, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    text_side_by_side = "its" if RUNTIME == "17.3-LTS" else "it's"  # Spark 4.0 reads two texts
    day = dt.date(2013, 1, 2)
    wanted = [7, decimal.Decimal("2.50"), day, text_side_by_side, True, moment, None, "ann"]
    for connection in (connect(), connect(use_cloud_fetch=False)):
        with connection.cursor() as cursor:
            cursor.execute(text, {"name": "ann"})
            assert [column[0] for column in cursor.description or ()][:3] == ["n", "d", "day"]
            (row,) = cursor.fetchall()
            assert list(row) == wanted


def test_parameters_without_names_are_taken_in_order(connect: Connect, schema: str) -> None:
    with connect().cursor() as cursor:
        cursor.execute("SELECT ? + 1 AS n, ? AS word, ? AS none", [2, "a", None])
        assert list(cursor.fetchall()[0]) == [3, "a", None]
        cursor.execute(f"USE {schema}")
        cursor.execute("CREATE TABLE many (n INT, word STRING)")
        cursor.executemany("INSERT INTO many VALUES (?, ?)", [[1, "a"], [2, "b"]])
        cursor.execute("SELECT * FROM many ORDER BY n")
        assert [tuple(row) for row in cursor.fetchall()] == [(1, "a"), (2, "b")]
        with pytest.raises(ServerOperationError, match="UNBOUND_SQL_PARAMETER"):
            cursor.execute("SELECT ?, ?", [1])


def test_many_rows_come_by_links(connect: Connect) -> None:
    with connect().cursor() as cursor:
        cursor.execute("SELECT id, repeat('x', 1000) AS x FROM range(9000)")
        table = cursor.fetchall_arrow()
    assert table["id"].to_pylist() == list(range(9000))


def test_a_cursor_lists_catalogs_schemas_tables_and_columns(
    connect: Connect, spark: SparkSession, schema: str
) -> None:
    catalog, name = schema.split(".")
    spark.sql(f"CREATE TABLE {schema}.t (a INT COMMENT 'the a', d DECIMAL(10, 2))")
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT 1 AS a")
    with connect().cursor() as cursor:
        cursor.catalogs()
        assert catalog in [row[0] for row in cursor.fetchall()]
        cursor.schemas(catalog_name=catalog, schema_name=name)
        assert [row[0] for row in cursor.fetchall()] == [name]
        cursor.tables(catalog_name=catalog, schema_name=name)
        found = [(row.tableName, row.tableType) for row in cursor.fetchall()]
        assert found == [("t", "TABLE"), ("v", "VIEW")]
        cursor.tables(catalog_name=catalog, schema_name=name, table_types=["VIEW"])
        assert [row.tableName for row in cursor.fetchall()] == ["v"]
        cursor.columns(catalog_name=catalog, schema_name=name, table_name="t")
        columns = [(row.col_name, row.columnType, row.remarks) for row in cursor.fetchall()]
        assert columns == [("a", "INT", "the a"), ("d", "DECIMAL(10,2)", None)]


def test_what_a_statement_sets_the_next_one_finds_until_the_session_ends(
    connect: Connect, schema: str
) -> None:
    catalog, name = schema.split(".")
    late = f"{name}_late"
    connection = connect(
        catalog=catalog, schema=late, session_configuration={"TIMEZONE": "Asia/Tokyo"}
    )
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {late}")  # as dbt does with the schema of its profile
        cursor.execute("SELECT current_catalog(), current_schema(), current_timezone()")
        assert list(cursor.fetchall()[0]) == [catalog, late, "Asia/Tokyo"]
        cursor.execute("CREATE TEMPORARY VIEW two AS SELECT 2 AS n")
        cursor.execute(f"DROP SCHEMA {late} CASCADE")
        cursor.execute(f"USE SCHEMA {name}")
        cursor.execute("SELECT current_schema(), n FROM two")
        assert list(cursor.fetchall()[0]) == [name, 2]
    with connect().cursor() as other, pytest.raises(ServerOperationError, match="two"):
        other.execute("SELECT * FROM two")


def test_a_statement_that_fails_leaves_the_session_as_it_was(
    connect: Connect, workspace: Contact
) -> None:
    with connect().cursor() as cursor:
        with pytest.raises(ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
            cursor.execute("SELECT * FROM nothing_at_all")
        cursor.execute("SELECT 1")
        assert cursor.fetchall()[0][0] == 1
        name = cursor.query_id or ""
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    (told,) = client.query_history.list(filter_by=QueryFilter(statement_ids=[name])).res or []
    assert told.query_text == "SELECT 1"
    assert "PyDatabricksSqlConnector" in (told.client_application or "")


def test_catalogs_and_schemas_are_listed(connect: Connect, schema: str) -> None:
    catalog, name = schema.split(".")
    with connect(catalog=catalog, schema=name).cursor() as cursor:
        cursor.catalogs()
        assert catalog in [row[0] for row in cursor.fetchall()]
        cursor.schemas(catalog, name)
        assert name in [row[0] for row in cursor.fetchall()]

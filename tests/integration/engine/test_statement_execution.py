"""SQL statements through the official client."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pyarrow as pa
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, ResourceDoesNotExist
from databricks.sdk.service import sql
from tests.integration.statements import run_statement

from laketop.workspace.daemon import Contact


@pytest.fixture
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    assert laketop_engine
    return WorkspaceClient(host=workspace.url, token=workspace.token)


@pytest.fixture
def warehouse(client: WorkspaceClient) -> str:
    found = next(iter(client.warehouses.list()))
    assert found.id is not None
    return found.id


SLOW = "SELECT count(*) FROM range(1000000) a CROSS JOIN range(1000000) b WHERE a.id < b.id"


def rows_of(told: sql.StatementResponse) -> list[list[str]]:
    assert told.status is not None
    assert told.status.state is sql.StatementState.SUCCEEDED, told.status.error
    assert told.result is not None
    return told.result.data_array or []


def test_values_come_as_the_texts_that_databricks_sends(
    client: WorkspaceClient, warehouse: str
) -> None:
    told = run_statement(
        client,
        "SELECT 1 AS a, 1.50BD AS b, 2.5D AS c, true AS d, date '2013-01-02' AS e,"
        " timestamp '2013-01-02 03:04:05.678' AS f, array(1, 2) AS g, null AS a",
        warehouse,
    )
    assert rows_of(told) == [
        ["1", "1.50", "2.5", "true", "2013-01-02", "2013-01-02T03:04:05.678Z", "[1,2]", None]
    ]
    assert told.manifest is not None
    assert told.manifest.schema is not None
    columns = told.manifest.schema.columns or []
    assert [column.name for column in columns] == ["a", "b", "c", "d", "e", "f", "g", "a"]
    assert [str(column.type_name) for column in columns][:3] == [
        *("ColumnInfoTypeName.INT", "ColumnInfoTypeName.DECIMAL", "ColumnInfoTypeName.DOUBLE"),
    ]


def test_statements_that_change_something_and_where_they_do(
    client: WorkspaceClient, warehouse: str, schema: str
) -> None:
    def execute(text: str, **more: Any) -> list[list[str]]:
        catalog, name = schema.split(".")
        return rows_of(run_statement(client, text, warehouse, catalog=catalog, schema=name, **more))

    assert execute("CREATE TABLE t (n INT, s STRING)") == []
    values = [
        sql.StatementParameterListItem(name="n", value="7", type="INT"),
        sql.StatementParameterListItem(name="s", value="it's"),
    ]
    execute("INSERT INTO t VALUES (:n, :s)", parameters=values)
    assert execute("SELECT * FROM t") == [["7", "it's"]]


def test_an_error_of_the_statement_is_its_state(client: WorkspaceClient, warehouse: str) -> None:
    told = run_statement(client, "SELECT * FROM nothing.at.all", warehouse)
    assert told.status is not None
    assert told.status.state is sql.StatementState.FAILED
    assert told.status.error is not None
    assert "TABLE_OR_VIEW_NOT_FOUND" in (told.status.error.message or "")
    assert "JVM stacktrace" not in (told.status.error.message or "")


def test_a_limit_of_rows_truncates(client: WorkspaceClient, warehouse: str) -> None:
    told = run_statement(client, "SELECT id FROM range(100)", warehouse, row_limit=3)
    assert rows_of(told) == [["0"], ["1"], ["2"]]
    assert told.manifest is not None
    assert told.manifest.truncated is True


def test_a_limit_of_bytes_truncates(client: WorkspaceClient, warehouse: str) -> None:
    text = "SELECT repeat('x', 1000) AS x FROM range(100)"
    told = run_statement(client, text, warehouse, byte_limit=10_000)
    assert 0 < len(rows_of(told)) < 12
    assert told.manifest is not None
    assert told.manifest.truncated is True
    whole = run_statement(client, text, warehouse, byte_limit=1_000_000)
    assert len(rows_of(whole)) == 100
    assert whole.manifest is not None
    assert not whole.manifest.truncated


def test_a_statement_that_is_not_to_go_on_after_the_wait_is_canceled(
    client: WorkspaceClient, warehouse: str
) -> None:
    told = client.statement_execution.execute_statement(
        SLOW,
        warehouse,
        wait_timeout="5s",
        on_wait_timeout=sql.ExecuteStatementRequestOnWaitTimeout.CANCEL,
    )
    assert told.status is not None
    assert told.status.state is sql.StatementState.CANCELED
    assert told.statement_id is not None
    again = client.statement_execution.get_statement(told.statement_id).status
    assert again is not None
    assert again.state is sql.StatementState.CANCELED


def test_large_results_come_by_chunks_and_links_that_need_no_token(
    client: WorkspaceClient, warehouse: str
) -> None:
    told = run_statement(
        client,
        "SELECT id, repeat('x', 1000) AS x FROM range(9000)",
        warehouse,
        disposition=sql.Disposition.EXTERNAL_LINKS,
        format=sql.Format.ARROW_STREAM,
    )
    assert told.manifest is not None
    assert told.statement_id is not None
    number: int | None = 0
    ids: list[int] = []
    while number is not None:
        part = client.statement_execution.get_statement_result_chunk_n(told.statement_id, number)
        (link,) = part.external_links or []
        with urllib.request.urlopen(str(link.external_link)) as answer:
            ids += pa.ipc.open_stream(answer.read()).read_all()["id"].to_pylist()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(str(link.external_link).partition("?")[0])
        number = link.next_chunk_index
    assert ids == list(range(9000))
    assert (told.manifest.total_chunk_count or 0) > 1


def test_a_csv_begins_with_the_names_of_its_columns(
    client: WorkspaceClient, warehouse: str
) -> None:
    told = run_statement(
        client,
        "SELECT id AS a, if(id = 0, null, 'x') AS b FROM range(2)",
        warehouse,
        disposition=sql.Disposition.EXTERNAL_LINKS,
        format=sql.Format.CSV,
    )
    assert told.result is not None
    (link,) = told.result.external_links or []
    with urllib.request.urlopen(str(link.external_link)) as answer:
        assert answer.read() == b"a,b\r\n0,null\r\n1,x\r\n"


def test_a_statement_goes_on_after_the_wait_and_can_be_canceled(
    client: WorkspaceClient, warehouse: str
) -> None:
    told = client.statement_execution.execute_statement(SLOW, warehouse, wait_timeout="0s")
    assert told.statement_id is not None
    assert told.status is not None
    assert told.status.state in {sql.StatementState.PENDING, sql.StatementState.RUNNING}

    client.statement_execution.cancel_execution(told.statement_id)

    status = client.statement_execution.get_statement(told.statement_id).status
    assert status is not None
    assert status.state is sql.StatementState.CANCELED


def test_a_statement_that_is_closed_is_forgotten_with_its_rows(
    client: WorkspaceClient, warehouse: str
) -> None:
    told = run_statement(client, "SELECT 1", warehouse)
    # As SQL clients do that keep no results; databricks-sdk has no method for it.
    client.api_client.do("DELETE", f"/api/2.0/sql/statements/{told.statement_id}")
    with pytest.raises(NotFound):
        client.statement_execution.get_statement(told.statement_id or "")


@pytest.mark.parametrize("after_seconds", [0, 0.02, 0.05, 0.1, 0.2])
def test_a_canceled_statement_leaves_the_engine_at_whatever_moment(
    client: WorkspaceClient, warehouse: str, after_seconds: float
) -> None:
    told = client.statement_execution.execute_statement(SLOW, warehouse, wait_timeout="0s")
    name = told.statement_id or ""
    while told.status is None or told.status.state is not sql.StatementState.RUNNING:
        told = client.statement_execution.get_statement(name)
    time.sleep(after_seconds)

    client.statement_execution.cancel_execution(name)

    # What went on would hold every slot of the engine, and this would never end.
    assert rows_of(run_statement(client, "SELECT count(*) FROM range(10)", warehouse)) == [["10"]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"statement": " "}, "empty"),
        ({"wait_timeout": "3s"}, "'3s'"),
        ({"row_limit": 0}, "row_limit 0"),
        ({"format": "CSV"}, "EXTERNAL_LINKS"),
        ({"disposition": "MAIL"}, "'MAIL'"),
        ({"parameters": [{"name": "n", "value": "x", "type": "INT"}]}, "'x' is not of type INT"),
        ({"parameters": [{"name": "n", "value": "1"}, {"value": "2"}]}, "Either each parameter"),
        ({"parameters": [{"name": 5}]}, "has a name, which is text"),
        ({"parameters": [{"name": ""}]}, "has a name, which is text"),
        ({"parameters": [{"name": "n", "type": 5}]}, "'type' has the value 5"),
        ({"parameters": [{"name": "n", "value": {}}]}, "'value' has the value {}"),
    ],
)
def test_what_cannot_be_run_is_named(
    client: WorkspaceClient, warehouse: str, fields: dict[str, Any], message: str
) -> None:
    body = {"statement": "SELECT 1", "warehouse_id": warehouse, **fields}
    with pytest.raises(InvalidParameterValue, match=message):
        client.api_client.do("POST", "/api/2.0/sql/statements", body=json.loads(json.dumps(body)))


def test_unknown_warehouses_and_statements_are_not_found(client: WorkspaceClient) -> None:
    with pytest.raises(ResourceDoesNotExist, match="SQL warehouse none"):
        client.statement_execution.execute_statement("SELECT 1", "none")
    with pytest.raises(NotFound, match="statement none"):
        client.statement_execution.get_statement("none")

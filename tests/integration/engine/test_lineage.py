"""What statements, jobs and sessions read and wrote, asked for over REST and in SQL."""

from __future__ import annotations

import time
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import sql
from databricks.sdk.service.jobs import SqlTask, SqlTaskQuery, Task
from databricks.sdk.service.sql import CreateQueryRequestQuery, QueryFilter
from pyspark.sql import SparkSession

from laketop.workspace.daemon import Contact

LINEAGE = "/api/2.0/lineage-tracking/table-lineage"


@pytest.fixture
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    assert laketop_engine
    return WorkspaceClient(host=workspace.url, token=workspace.token)


def _execute(client: WorkspaceClient, text: str, schema: str) -> str:
    catalog, name = schema.split(".")
    warehouse = next(iter(client.warehouses.list())).id or ""
    told = client.statement_execution.execute_statement(
        text, warehouse, catalog=catalog, schema=name, wait_timeout="50s"
    )
    final = {sql.StatementState.SUCCEEDED, sql.StatementState.FAILED}
    while told.status is None or told.status.state not in final:
        told = client.statement_execution.get_statement(told.statement_id or "")
    assert told.status.state is sql.StatementState.SUCCEEDED, told.status.error
    return told.statement_id or ""


def _until(client: WorkspaceClient, table: str, source: str) -> dict[str, Any]:
    """Return the lineage of a table once a source of it is known."""
    query = {"table_name": table, "include_entity_lineage": True}
    while True:
        told: Any = client.api_client.do("GET", LINEAGE, query=query)
        names = [one.get("tableInfo", {}).get("name") for one in told["upstreams"]]
        if source in names:
            return dict(told)
        time.sleep(0.1)


def test_lineage_of_statements_sessions_and_jobs(
    client: WorkspaceClient, spark: SparkSession, schema: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.a AS SELECT 1L AS id, 2 AS n")
    _execute(client, "CREATE VIEW v AS SELECT id AS k, sum(n) AS total FROM a GROUP BY id", schema)
    made = _execute(
        client, "CREATE TABLE t AS SELECT k, total + n AS m FROM v JOIN a ON k = id", schema
    )
    spark.table(f"{schema}.t").unionByName(spark.table(f"{schema}.t")).write.saveAsTable(
        f"{schema}.u"
    )
    query = client.queries.create(
        query=CreateQueryRequestQuery(
            display_name=schema,
            query_text=f"MERGE INTO {schema}.t USING (SELECT DISTINCT * FROM {schema}.u) AS u"  # noqa: S608 - a name of this test
            " ON t.k = u.k WHEN MATCHED THEN UPDATE SET m = u.m",
        )
    )
    task = SqlTask(warehouse_id="w", query=SqlTaskQuery(query_id=query.id or ""))
    job = client.jobs.create(name=schema, tasks=[Task(task_key="only", sql_task=task)]).job_id
    run = client.jobs.run_now(job or 0).result().run_id

    _until(client, f"{schema}.u", "t")
    told = _until(client, f"{schema}.t", "u")

    jobs = [info["job_id"] for one in told["upstreams"] for info in one.get("jobInfos", ())]
    assert jobs == [job]
    assert [one["tableInfo"]["name"] for one in told["downstreams"]] == ["u"]
    client.api_client.do("POST", "/api/laketop/1/system-tables/flush")

    def asked(table: str, *columns: str) -> set[tuple[Any, ...]]:
        catalog, name = schema.split(".")
        frame = spark.table(f"system.access.{table}").where(
            f"target_table_catalog = '{catalog}' AND target_table_schema = '{name}'"
        )
        return {tuple(row) for row in frame.select(*columns).collect()}

    of_target = ("source_table_name", "source_type", "target_table_name", "target_type")
    assert asked("table_lineage", *of_target) == {
        (None, None, "a", "TABLE"),
        ("a", "TABLE", "v", "VIEW"),
        ("a", "TABLE", "t", "TABLE"),
        ("v", "VIEW", "t", "TABLE"),
        ("t", "TABLE", "u", "TABLE"),
        ("u", "TABLE", "t", "TABLE"),
    }
    of_caller = ("source_table_name", "statement_id", "entity_type", "entity_id", "entity_run_id")
    callers = asked("table_lineage", *of_caller)
    assert ("v", made, None, None, None) in callers
    assert ("u", None, "JOB", str(job), str(run)) in callers
    columns = ("source_table_name", "source_column_name", "target_table_name", "target_column_name")
    assert asked("column_lineage", *columns) == {
        ("a", "id", "v", "k"),
        ("a", "n", "v", "total"),
        ("v", "k", "t", "k"),
        ("v", "total", "t", "m"),
        ("a", "n", "t", "m"),
        ("t", "k", "u", "k"),
        ("t", "m", "u", "m"),
        ("u", "m", "t", "m"),
    }
    (row,) = spark.table("system.query.history").where(f"statement_id = '{made}'").collect()
    (listed,) = client.query_history.list(filter_by=QueryFilter(statement_ids=[made])).res or []
    assert (row.execution_status, row.statement_type) == ("FINISHED", "CREATE")
    assert row.statement_text == listed.query_text
    assert row.total_duration_ms == listed.duration
    assert row.compute.warehouse_id == listed.warehouse_id

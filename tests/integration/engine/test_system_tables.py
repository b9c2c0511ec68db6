"""What happened in a workspace, asked for in SQL."""

from __future__ import annotations

import re
import secrets

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import NotebookTask, Task
from databricks.sdk.service.workspace import ImportFormat, Language
from pyspark.sql import SparkSession

from laketop.workspace.daemon import Contact
from laketop.workspace.system_tables import TABLES


def test_calls_jobs_runs_and_usage_are_rows(workspace: Contact, spark: SparkSession) -> None:
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    scope = f"s{secrets.token_hex(4)}"
    client.secrets.create_scope(scope)
    client.secrets.put_secret(scope, "k", string_value="a-hidden-value")
    with pytest.raises(InvalidParameterValue):
        client.secrets.create_scope("not a scope")
    path = f"/Shared/{scope}"  # a notebook, as conditions use no compute
    client.workspace.upload(path, b"print(1)", format=ImportFormat.SOURCE, language=Language.PYTHON)
    task = Task(task_key="only", notebook_task=NotebookTask(notebook_path=path))
    job = client.jobs.create(name=scope, tasks=[task]).job_id
    run = client.jobs.run_now(job or 0).result().run_id
    warehouse = next(iter(client.warehouses.list())).id or ""
    client.statement_execution.execute_statement("SELECT 1", warehouse, wait_timeout="50s")
    flush = "/api/laketop/1/system-tables/flush"
    client.api_client.do("POST", flush)  # or the workspace has just done so by itself

    def asked(text: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in spark.sql(text).collect()]

    audit = "SELECT action_name, response.status_code FROM system.access.audit"
    mine = f"request_params['scope'] = '{scope}'"
    assert asked(f"{audit} WHERE {mine} ORDER BY event_time, action_name") == [
        ("createScope", 200),
        ("putSecret", 200),
    ]
    assert ("createScope", 400) in asked(f"{audit} WHERE request_params['scope'] = 'not a scope'")
    whole = str(spark.table("system.access.audit").collect())
    assert "a-hidden-value" not in whole
    of_job = f"job_id = '{job}'"

    def of(table: str, where: str, *columns: str) -> list[tuple[object, ...]]:
        frame = spark.table(f"system.{table}").where(where).select(*columns)
        return [tuple(row) for row in frame.distinct().collect()]

    assert of("lakeflow.jobs", of_job, "name", "delete_time") == [(scope, None)]
    assert [
        (row["task_key"], [*row["depends_on_keys"]], row["delete_time"])
        for row in spark.table("system.lakeflow.job_tasks").where(of_job).collect()
    ] == [("only", [], None)]
    runs = of("lakeflow.job_run_timeline", of_job, "run_id", "result_state")
    assert runs == [(str(run), "SUCCEEDED")]
    tasks = of("lakeflow.job_task_run_timeline", of_job, "task_key", "result_state")
    assert tasks == [("only", "SUCCEEDED")]
    assert of("billing.usage", f"usage_metadata.job_id = '{job}'", "usage_unit") == [("DBU",)]
    where = f"usage_metadata.warehouse_id = '{warehouse}' AND usage_quantity > 0"
    assert of("billing.usage", where, "sku_name", "billing_origin_product") == [
        ("LAKETOP_SERVERLESS_SQL_COMPUTE", "SQL")
    ]
    for name, told in TABLES.items():  # those that have no row yet, too
        columns = re.findall(r"(?:^|, )(\w+) [A-Z]", " ".join(told.split()))
        assert set(spark.table(name).columns) == set(columns)
    # As Databricks' own pages join the two.
    costs = """SELECT pricing.default, currency_code
        FROM system.billing.usage u JOIN system.billing.list_prices p
        ON u.cloud = p.cloud AND u.sku_name = p.sku_name AND u.usage_start_time >=
        p.price_start_time AND (p.price_end_time IS NULL OR u.usage_end_time < p.price_end_time)"""
    (cost,) = asked(f"{costs} WHERE usage_metadata.job_id = '{job}'")
    assert (float(str(cost[0])), cost[1]) == (0.5, "USD")

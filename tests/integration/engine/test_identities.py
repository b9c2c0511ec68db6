"""Who the engine takes one for: statements and tasks have the rights of their user alone."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks.sdk.service.iam import User
from databricks.sdk.service.jobs import JobRunAs, NotebookTask, Task
from databricks.sdk.service.ml import OnlineStore, PublishSpec, PublishSpecPublishMode
from databricks.sdk.service.sql import StatementState
from databricks.sdk.service.workspace import ImportFormat, Language
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from tests.integration.engine.bearers import bearing
from tests.integration.statements import run_statement

from laketop.workspace.daemon import Contact


@pytest.fixture
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=workspace.token)


@pytest.fixture
def robot(client: WorkspaceClient) -> Iterator[tuple[User, WorkspaceClient]]:
    principal = client.service_principals_v2.create(display_name=f"r{secrets.token_hex(4)}")
    made = client.token_management.create_obo_token(principal.application_id or "")
    other = WorkspaceClient(host=client.config.host, token=made.token_value)
    yield other.current_user.me(), other
    gone = PermissionsChange(principal=principal.application_id, remove=[Privilege.USE_CATALOG])
    client.grants.update("catalog", "main", changes=[gone])
    client.service_principals_v2.delete(principal.id or "")


def test_a_statement_has_the_rights_of_its_sender(
    client: WorkspaceClient, robot: tuple[User, WorkspaceClient], schema: str
) -> None:
    me, other = robot
    name = me.user_name or ""
    warehouse = next(iter(other.warehouses.list())).id or ""
    run_statement(client, f"CREATE TABLE {schema}.t AS SELECT 1 AS n", warehouse)

    def ask(text: str) -> tuple[StatementState | None, str]:
        told = run_statement(other, text, warehouse)
        assert told.status is not None
        rows = told.result.data_array if told.result else None
        error = told.status.error.message if told.status.error else ""
        return told.status.state, str(rows or error)

    assert ask("SELECT current_user()") == (StatementState.SUCCEEDED, f"[['{name}']]")
    read = f"SELECT n FROM {schema}.t"  # noqa: S608 - a name of this test
    state, error = ask(read)
    assert state is StatementState.FAILED
    assert "does not have" in error
    for kind, on, privilege in (
        ("catalog", "main", Privilege.USE_CATALOG),
        ("schema", schema, Privilege.USE_SCHEMA),
        ("schema", schema, Privilege.SELECT),
    ):
        change = PermissionsChange(principal=name, add=[privilege])
        client.grants.update(kind, on, changes=[change])
    assert ask(read) == (StatementState.SUCCEEDED, "[['1']]")


def test_a_task_runs_as_whom_the_job_says(
    client: WorkspaceClient, robot: tuple[User, WorkspaceClient]
) -> None:
    me, _ = robot
    source = """# Databricks notebook source
import json
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
rest = WorkspaceClient().current_user.me().user_name
sql = spark.sql("SELECT current_user()").collect()[0][0]
dbutils.notebook.exit(json.dumps([rest, sql]))
"""
    path = f"/Shared/{secrets.token_hex(4)}"
    client.workspace.import_(
        path,
        content=base64.b64encode(source.encode()).decode(),
        format=ImportFormat.SOURCE,
        language=Language.PYTHON,
    )
    task = Task(task_key="who", notebook_task=NotebookTask(notebook_path=path))
    run_as = JobRunAs(service_principal_name=me.user_name)
    job = client.jobs.create(name="who", tasks=[task], run_as=run_as)
    run = client.jobs.run_now(job.job_id or 0).result()
    told = client.jobs.get_run_output((run.tasks or [])[0].run_id or 0).notebook_output
    assert told is not None
    assert told.result == f'["{me.user_name}", "{me.user_name}"]'


def test_system_tables_are_for_admins_and_whom_they_grant_them(
    client: WorkspaceClient,
    robot: tuple[User, WorkspaceClient],
    laketop_engine: str,
    spark: SparkSession,
) -> None:
    me, other = robot
    name = f"`{me.user_name}`"
    client.api_client.do("POST", "/api/laketop/1/system-tables/flush")
    audit = "SELECT count(*) FROM system.access.audit"
    with bearing(other.config.token or "", laketop_engine) as session:
        try:
            assert session.sql("SELECT * FROM system.information_schema.catalogs").collect()
            with pytest.raises(PySparkException, match="does not have"):
                session.sql(audit).collect()
            spark.sql(f"GRANT USE SCHEMA, SELECT ON SCHEMA system.access TO {name}")
            assert session.sql(audit).collect()
            with pytest.raises(PySparkException, match="does not have"):
                spark.sql("DROP SCHEMA system.access CASCADE")
        finally:
            spark.sql(f"REVOKE USE SCHEMA, SELECT ON SCHEMA system.access FROM {name}")  # noqa: S608 - a name of this test


def test_a_feature_table_is_published_with_the_rights_of_who_asks(
    client: WorkspaceClient, robot: tuple[User, WorkspaceClient], schema: str, spark: SparkSession
) -> None:
    spark.sql(
        f"CREATE TABLE {schema}.planes (tail STRING NOT NULL, seats INT, PRIMARY KEY (tail))"
        " USING delta"
    )
    store = client.feature_store.create_online_store(
        OnlineStore(name=schema.replace(".", "-"), capacity="CU_1")
    )
    spec = PublishSpec(
        online_store=store.name,
        online_table_name=f"{schema}.planes_online",
        publish_mode=PublishSpecPublishMode.SNAPSHOT,
    )
    try:
        with pytest.raises(DatabricksError, match="does not have"):
            robot[1].feature_store.publish_table(f"{schema}.planes", spec)
        with pytest.raises(DatabricksError, match="does not exist"):
            client.feature_store.delete_online_table(f"{schema}.planes_online")
    finally:
        client.feature_store.delete_online_store(store.name)

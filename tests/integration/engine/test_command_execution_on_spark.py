"""Commands with Spark and `w.dbutils`, through the official client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import (
    CommandStatus,
    Language,
    Results,
    ResultType,
)

from laketop.workspace.daemon import Contact

SOON = dt.timedelta(minutes=3)


@pytest.fixture(scope="module")
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=workspace.token)


@pytest.fixture(scope="module")
def cluster(client: WorkspaceClient) -> Iterator[str]:
    made = client.clusters.create(spark_version="x", num_workers=0).result().cluster_id or ""
    yield made
    client.clusters.permanent_delete(made)


@pytest.fixture(scope="module")
def context(client: WorkspaceClient, cluster: str) -> str:
    waiter = client.command_execution.create(cluster_id=cluster, language=Language.PYTHON)
    return waiter.result(timeout=SOON).id or ""


def run(
    client: WorkspaceClient,
    cluster: str,
    context: str,
    command: str,
    language: Language = Language.PYTHON,
) -> Results:
    told = client.command_execution.execute(
        cluster_id=cluster, context_id=context, language=language, command=command
    ).result(timeout=SOON)
    assert told.status is CommandStatus.FINISHED
    assert told.results is not None
    return told.results


def test_commands_have_spark(client: WorkspaceClient, cluster: str, context: str) -> None:
    assert run(client, cluster, context, "n = spark.range(5).count()").data == ""
    told = run(client, cluster, context, "print('n is', n)\nn + 1")
    assert (told.result_type, told.data) == (ResultType.TEXT, "n is 5\n6\n")


def test_sql_answers_with_a_table(client: WorkspaceClient, cluster: str, context: str) -> None:
    told = run(client, cluster, context, "SELECT 1 AS a, 'x' AS b", Language.SQL)
    assert (told.result_type, told.data) == (ResultType.TABLE, [[1, "x"]])
    assert [column["name"] for column in told.schema or []] == ["a", "b"]
    told = run(client, cluster, context, "SELECT double('NaN'), -double('Infinity')", Language.SQL)
    assert told.data == [["nan", "-inf"]]

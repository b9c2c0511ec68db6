"""Commands with Spark and `w.dbutils`, through the official client."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import (
    Language,
    ResultType,
)
from tests.integration.commands import cluster as cluster  # noqa: PLC0414
from tests.integration.commands import context as context  # noqa: PLC0414
from tests.integration.commands import run

from laketop.workspace.daemon import Contact


@pytest.fixture(scope="module")
def client(workspace: Contact, laketop_engine: str) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=workspace.token)


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

"""Runs commands on a cluster, through the official client: the fixtures `cluster` and `context`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import CommandStatus, Language, Results

SOON = dt.timedelta(minutes=10)


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

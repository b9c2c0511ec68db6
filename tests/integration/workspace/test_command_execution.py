"""Commands on a cluster and `w.dbutils`, through the official client."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.dbutils import RemoteDbUtils
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.compute import (
    CommandStatus,
    ContextStatus,
    Language,
    ResultType,
)
from databricks.sdk.service.workspace import Language as NotebookLanguage
from tests.integration.commands import SOON, run
from tests.integration.commands import cluster as cluster  # noqa: PLC0414
from tests.integration.commands import context as context  # noqa: PLC0414
from tests.integration.workspace.conftest import Served

from laketop.runner.command_results import MOST_CHARACTERS


def test_variables_stay_from_command_to_command(
    client: WorkspaceClient, cluster: str, context: str
) -> None:
    assert run(client, cluster, context, "n = 5").data == ""
    told = run(client, cluster, context, "print('n is', n)\nn + 1")
    assert (told.result_type, told.data) == (ResultType.TEXT, "n is 5\n6\n")


def test_what_is_printed_beyond_the_limit_is_left_out(
    client: WorkspaceClient, cluster: str, context: str
) -> None:
    told = run(client, cluster, context, "for _ in range(210): print('x' * 100_000)")
    assert told.truncated
    assert len(str(told.data)) == MOST_CHARACTERS
    assert run(client, cluster, context, "print(2)").data == "2\n"


def test_an_error_is_a_result(client: WorkspaceClient, cluster: str, context: str) -> None:
    told = run(client, cluster, context, "print('before')\n1 / 0")
    assert told.result_type is ResultType.ERROR
    assert "ZeroDivisionError" in (told.summary or "")
    assert "before" in (told.cause or "")
    assert run(client, cluster, context, "print(1)").data == "1\n"


def test_a_command_is_canceled_and_the_context_goes_on(
    client: WorkspaceClient, cluster: str, context: str
) -> None:
    started = client.command_execution.execute(
        cluster_id=cluster,
        context_id=context,
        language=Language.PYTHON,
        command="import time\nkept = 7\ntime.sleep(300)",
    )
    command = started.command_id
    client.command_execution.cancel(
        cluster_id=cluster, context_id=context, command_id=command
    ).result(timeout=SOON)
    told = client.command_execution.command_status(cluster, context, command)
    assert told.status is CommandStatus.CANCELLED
    assert run(client, cluster, context, "print('on')").data == "on\n"


def test_a_command_is_canceled_at_whatever_moment(client: WorkspaceClient, cluster: str) -> None:
    waiter = client.command_execution.create(cluster_id=cluster, language=Language.PYTHON)
    context = waiter.result(timeout=SOON).id or ""  # its process may have hardly begun
    for pause in (0.0, 0.0, 0.01, 0.1, 0.0):
        command = client.command_execution.execute(
            cluster_id=cluster,
            context_id=context,
            language=Language.PYTHON,
            command="import time\ntime.sleep(300)",
        ).command_id
        time.sleep(pause)
        client.command_execution.cancel(
            cluster_id=cluster, context_id=context, command_id=command
        ).result(timeout=dt.timedelta(minutes=1))
    assert run(client, cluster, context, "print('on')").data == "on\n"
    client.command_execution.destroy(cluster, context)


def test_a_context_that_is_destroyed_is_gone(client: WorkspaceClient, cluster: str) -> None:
    made = client.command_execution.create(cluster_id=cluster, language=Language.SQL)
    context = made.result(timeout=SOON).id or ""
    assert client.command_execution.context_status(cluster, context).status is ContextStatus.RUNNING
    client.command_execution.destroy(cluster, context)
    with pytest.raises(InvalidParameterValue, match="ContextNotFound"):
        client.command_execution.context_status(cluster, context)
    with pytest.raises(NotServed, match="scala"):
        client.command_execution.create(cluster_id=cluster, language=Language.SCALA)


def test_dbutils_of_the_client_reaches_the_context(served: Served, cluster: str) -> None:
    # Where laketop's shims are, `w.dbutils` is the one of a notebook; elsewhere it is this.
    remote = RemoteDbUtils(Config(host=served.host, token=served.token, cluster_id=cluster))
    remote.fs.put("/dbutils.txt", "hello", overwrite=True)
    assert remote.fs.head("/dbutils.txt") == "hello"
    remote.fs.rm("/dbutils.txt")
    assert [one.name for one in remote.fs.ls("/") if one.name == "dbutils.txt"] == []
    with pytest.raises(Exception, match="nothing-here"):
        remote.notebook.run("/Shared/nothing-here", 60)  # type: ignore[call-arg]  # made up by the client


def test_dbutils_of_the_client_reads_secrets_and_runs_notebooks(
    served: Served, client: WorkspaceClient, cluster: str
) -> None:
    remote: Any = RemoteDbUtils(Config(host=served.host, token=served.token, cluster_id=cluster))
    client.secrets.create_scope("remote")
    client.secrets.put_secret("remote", "key", string_value="hidden-word")
    assert remote.secrets.get("remote", "key") == "hidden-word"
    assert [one.key for one in remote.secrets.list("remote")] == ["key"]
    assert "remote" in [one.name for one in remote.secrets.listScopes()]
    client.workspace.upload(
        "/Shared/greets",
        b"dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))",
        language=NotebookLanguage.PYTHON,
    )
    assert remote.notebook.run("/Shared/greets", 60, {"who": "ann"}) == "hello ann"

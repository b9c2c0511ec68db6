"""Requests that meet faults on purpose, and official clients that cope with them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, Task
from requests.exceptions import ChunkedEncodingError
from tests.integration.workspace.conftest import Served, serving, with_token

from laketop.workspace.faults import Faults

PATH = "/api/laketop/1/faults"
ME = "/api/2.0/preview/scim/v2/Me"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    cache = tmp_path_factory.getbasetemp() / "cache"
    with serving(tmp_path_factory.mktemp("faults"), cache) as found:
        found.workspace.faults = Faults()
        yield found


@pytest.fixture
def own(client: WorkspaceClient) -> WorkspaceClient:
    """A client with a token of its own, which alone the rules of a test befall."""
    return with_token(client, client.tokens.create().token_value)


def befall(client: WorkspaceClient, request: str, **fault: Any) -> None:
    client.api_client.do("POST", PATH, body={"request": request, **fault})


def test_without_leave_there_is_no_such_route(client: WorkspaceClient, served: Served) -> None:
    rules, served.workspace.faults = served.workspace.faults, None
    try:
        with pytest.raises(NotFound, match="laketop up --faults"):
            befall(client, "* /*", status=500)
    finally:
        served.workspace.faults = rules


def test_an_answer_is_another_after_some_and_for_some_requests_of_one_token(
    own: WorkspaceClient, client: WorkspaceClient
) -> None:
    befall(own, f"GET {ME}", status=403, skip=1, times=2)
    assert own.current_user.me().user_name
    for _ in range(2):
        with pytest.raises(PermissionDenied, match="A fault rule for"):
            own.current_user.me()
        assert client.current_user.me().user_name
    assert own.current_user.me().user_name
    (told,) = own.api_client.do("GET", PATH)["faults"]
    assert (told["request"], told["counted"]) == (f"GET {ME}", 3)


def test_a_client_that_tries_again_copes(own: WorkspaceClient) -> None:
    befall(own, f"GET {ME}", status=429, body={"error_code": "REQUEST_LIMIT_EXCEEDED"})
    assert own.current_user.me().user_name


def test_a_run_whose_answer_is_lost_is_found_by_its_token(own: WorkspaceClient) -> None:
    asks = ConditionTask(op=ConditionTaskOp.EQUAL_TO, left="1", right="1")
    job_id = own.jobs.create(tasks=[Task(task_key="a", condition_task=asks)]).job_id or 0
    befall(own, "POST /api/2.2/jobs/run-now", lost=True, after=True)
    with pytest.raises(ChunkedEncodingError):
        own.jobs.run_now(job_id, idempotency_token="once")
    run_id = own.jobs.run_now(job_id, idempotency_token="once").run_id
    assert [run.run_id for run in own.jobs.list_runs(job_id=job_id)] == [run_id]
    own.api_client.do("DELETE", PATH)
    befall(own, "POST /api/2.2/jobs/delete", lost=True)
    with pytest.raises(ChunkedEncodingError):
        own.jobs.delete(job_id)
    assert own.jobs.get(job_id).job_id == job_id  # it was lost before it was carried out


def test_an_answer_comes_late(own: WorkspaceClient) -> None:
    befall(own, f"GET {ME}", delay_seconds=0.2)
    began = time.monotonic()
    assert own.current_user.me().user_name
    assert time.monotonic() - began >= 0.2


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who asks")
def test_who_asks_is_killed_with_what_was_asked_done(own: WorkspaceClient) -> None:
    befall(own, "POST /api/2.0/workspace/mkdirs", kill=True, after=True)
    code = (
        "from databricks.sdk import WorkspaceClient;"
        f"WorkspaceClient(host={own.config.host!r}, token={own.config.token!r})"
        ".workspace.mkdirs('/Shared/killed')"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert own.workspace.get_status("/Shared/killed").path == "/Shared/killed"


@pytest.mark.parametrize(
    ("fault", "because"),
    [
        ({"request": "GET /", "nothing": 1}, "has no field 'nothing'"),
        ({"request": "GET /", "times": True}, "'times'"),
        ({"request": "GET /", "status": "500"}, "'status'"),
        ({"status": 500}, "Missing required field: request"),
        ({"request": "nothing"}, "METHOD /path"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    own: WorkspaceClient, fault: dict[str, Any], because: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=because):
        own.api_client.do("POST", PATH, body=fault)
    assert own.api_client.do("GET", PATH) == {"faults": []}

from __future__ import annotations

import json
import urllib.request

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from tests.integration.workspace.conftest import Served


def test_the_status_names_user_and_version_and_no_token(served: Served) -> None:
    call = urllib.request.Request(
        f"{served.host}/api/laketop/1/status",
        headers={"Authorization": f"Bearer {served.token}"},
    )
    with urllib.request.urlopen(call) as answer:
        text = answer.read().decode()
    told = json.loads(text)
    assert told["user"] == "me@laketop.local"
    assert told["active_runs"] == 0
    assert served.token not in text


def test_a_token_is_made_for_anybody_who_is_there(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    name, do = ann.current_user.me().user_name, client.api_client.do
    body = {"user": name, "comment": "ci", "lifetime_seconds": 60}
    told = do("POST", "/api/laketop/1/tokens", body=body)
    assert isinstance(told, dict)
    other = WorkspaceClient(host=client.config.host, token=told["token_value"])
    assert other.current_user.me().user_name == name
    listed = do("GET", "/api/laketop/1/tokens")
    assert isinstance(listed, dict)
    (one,) = [t for t in listed["tokens"] if t["token_id"] == told["token_id"]]
    assert (one["owner"], one["comment"]) == (name, "ci")
    assert one["expiry_time"] - one["creation_time"] == 60_000
    with pytest.raises(NotFound, match="nobody"):
        do("POST", "/api/laketop/1/tokens", body={"user": "nobody"})
    with pytest.raises(PermissionDenied):
        ann.api_client.do("GET", "/api/laketop/1/tokens")


def test_fields_that_no_handler_reads_are_counted_by_route(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    do = client.api_client.do
    do("POST", "/api/2.0/secrets/scopes/create", body={"scope": "counted", "colour": "red"})
    told = do("GET", "/api/laketop/1/dropped")
    assert isinstance(told, dict)
    assert told["routes"]["POST /api/2.0/secrets/scopes/create"] == {"colour": 1}
    for number in range(200):
        do("GET", "/api/2.0/secrets/scopes/list", query={f"f{number}": "x"})
    told = do("GET", "/api/laketop/1/dropped")
    assert isinstance(told, dict)
    assert len(told["routes"]["GET /api/2.0/secrets/scopes/list"]) == 100
    with pytest.raises(PermissionDenied):
        ann.api_client.do("GET", "/api/laketop/1/dropped")

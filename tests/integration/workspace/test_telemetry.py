"""Telemetry: taken, so that no client complains, and kept nowhere."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest

from laketop.workspace.workspace import Workspace

_MARK = "8c1f-what-a-client-did"


def test_telemetry_is_counted_and_kept_nowhere(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    sent = {"uploadTime": 1, "items": [], "protoLogs": [f'{{"a": "{_MARK}"}}', "{}"]}
    told = client.api_client.do("POST", "/telemetry-ext", body=sent)

    assert told == {"errors": [], "numProtoSuccess": 2}
    kept = [file for file in workspace.state.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if _MARK.encode() in file.read_bytes()]


def test_what_is_no_telemetry_is_a_bad_request(client: WorkspaceClient) -> None:
    assert client.api_client.do("POST", "/telemetry-ext", body={"protoLogs": 5}) == {
        "errors": [],
        "numProtoSuccess": 0,
    }
    with pytest.raises(BadRequest, match="not JSON"):
        client.api_client.do("POST", "/telemetry-ext", data=b"{")

"""Git credentials, through the official client."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_a_credential_is_kept_sealed_and_is_its_users_own(
    client: WorkspaceClient, ann: WorkspaceClient, workspace: Workspace
) -> None:
    secret = "a-token-of-the-remote"
    made = client.git_credentials.create("gitHub", git_username="me", personal_access_token=secret)
    number = made.credential_id or 0
    told = client.git_credentials.get(number)
    assert (told.git_provider, told.git_username) == ("gitHub", "me")
    for same in ("gitHub", "github"):
        with pytest.raises(InvalidParameterValue, match="Only one"):
            client.git_credentials.create(same, personal_access_token="x")
    assert workspace.git_credentials.of_caller("GITHUB") is not None
    client.git_credentials.update(
        number, "gitHub", git_username="you", personal_access_token=f"{secret}2"
    )
    assert [one.git_username for one in client.git_credentials.list()] == ["you"]
    found = workspace.git_credentials.of_caller("gitHub")
    assert (found.username, found.token) == ("you", f"{secret}2")
    url = "https://example.org/a.git"
    sent = found.settings(url)[f"http.{url}.extraHeader"]
    assert base64.b64decode(sent.rpartition(" ")[2]).decode() == f"you:{secret}2"
    assert workspace.git_credentials.of_caller("gitLab") is None
    other = client.git_credentials.create("gitLab", personal_access_token="x").credential_id or 0
    with pytest.raises(InvalidParameterValue, match="already"):
        client.git_credentials.update(other, "github", personal_access_token="x")
    client.git_credentials.delete(other)
    assert list(ann.git_credentials.list()) == []
    with pytest.raises(ResourceDoesNotExist):
        ann.git_credentials.get(number)
    for file in workspace.state.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
    client.git_credentials.delete(number)
    with pytest.raises(ResourceDoesNotExist):
        client.git_credentials.delete(number)
    with pytest.raises(InvalidParameterValue):
        client.git_credentials.create("gitHub")

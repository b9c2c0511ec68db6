"""Personal access tokens, through the official client."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
    Unauthenticated,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.settings import PublicTokenInfo
from tests.integration.workspace.conftest import mask, with_token

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_a_token_is_made_listed_and_revoked(client: WorkspaceClient) -> None:
    made = client.tokens.create(comment="ci")
    value, info = made.token_value or "", made.token_info
    assert info is not None
    assert info.token_id == hashlib.sha256(value.encode()).hexdigest()
    assert (info.comment, info.expiry_time) == ("ci", -1)
    other = with_token(client, value)
    assert other.current_user.me() == client.current_user.me()
    client.tokens.update(info.token_id, PublicTokenInfo(comment="of CI"), mask("comment"))
    info.comment = "of CI"
    assert info in list(client.tokens.list())
    client.tokens.delete(info.token_id or "")
    assert info not in list(client.tokens.list())
    with pytest.raises(Unauthenticated):
        other.current_user.me()
    with pytest.raises(ResourceDoesNotExist):
        client.tokens.delete(info.token_id or "")


def test_a_token_ends_by_the_clock_of_the_workspace(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    token = client.tokens.create(lifetime_seconds=60).token_value
    other = with_token(client, token)
    assert other.current_user.me().active
    before = workspace.now_ms.offset_ms
    workspace.now_ms.offset_ms += 61_000
    try:
        with pytest.raises(Unauthenticated):
            other.current_user.me()
    finally:
        workspace.now_ms.offset_ms = before
    for seconds in (0, -1, 10**10):
        with pytest.raises(InvalidParameterValue, match="lifetime_seconds"):
            client.tokens.create(lifetime_seconds=seconds)


def test_tokens_are_one_users_own(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    mine = client.tokens.create(comment="mine").token_info
    assert mine is not None
    assert list(ann.tokens.list()) == []
    with pytest.raises(ResourceDoesNotExist):
        ann.tokens.delete(mine.token_id or "")
    for call in (ann.token_management.list, lambda: ann.token_management.get(mine.token_id or "")):
        with pytest.raises(PermissionDenied):
            call()


def test_scopes_are_refused_by_name(client: WorkspaceClient) -> None:
    with pytest.raises(NotServed, match="scopes"):
        client.tokens.create(scopes=["sql"])

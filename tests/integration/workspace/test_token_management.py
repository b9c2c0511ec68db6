"""Everybody's tokens, through the official client."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    NotFound,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.iam import (
    ServicePrincipal,
)
from databricks.sdk.service.settings import (
    TokenAccessControlRequest,
    TokenInfo,
    TokenPermissionLevel,
)
from tests.integration.workspace.conftest import mask, with_token


def test_an_admin_manages_the_tokens_of_all(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    name = ann.current_user.me().user_name or ""
    made = ann.tokens.create(comment="hers").token_info
    assert made is not None
    told = list(client.token_management.list(created_by_username=name))
    assert [(one.token_id, one.created_by_username) for one in told] == [(made.token_id, name)]
    got = client.token_management.get(made.token_id or "").token_info
    assert got == told[0]
    client.token_management.delete(made.token_id or "")
    assert list(ann.tokens.list()) == []
    with pytest.raises(ResourceDoesNotExist):
        client.token_management.get(made.token_id or "")


def test_a_token_on_behalf_of_a_service_principal(
    client: WorkspaceClient, robot: ServicePrincipal
) -> None:
    made = client.token_management.create_obo_token(robot.application_id or "", comment="c")
    other = with_token(client, made.token_value)
    assert other.current_user.me().user_name == robot.application_id
    with pytest.raises(NotFound):
        client.token_management.create_obo_token("nobody")


def test_an_admin_changes_the_comment_of_a_token(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    made = ann.tokens.create(comment="before").token_info
    assert made is not None
    change = client.token_management.update_token_management
    told = change(made.token_id or "", TokenInfo(comment="after"), mask("comment"))
    assert told.comment == "after"
    assert [one.comment for one in ann.tokens.list()] == ["after"]
    with pytest.raises(ResourceDoesNotExist):
        change("nothing", TokenInfo(comment="x"), mask("comment"))
    with pytest.raises(PermissionDenied):
        ann.token_management.update_token_management(
            made.token_id or "", TokenInfo(comment="x"), mask("comment")
        )


def test_who_may_use_tokens_is_said_by_admins_and_holds(
    client: WorkspaceClient, ann: WorkspaceClient, robot: ServicePrincipal
) -> None:
    api = client.token_management
    levels = api.get_permission_levels().permission_levels or []
    assert [one.permission_level for one in levels] == [TokenPermissionLevel.CAN_USE]
    start = api.get_permissions()
    assert [one.group_name for one in start.access_control_list or []] == ["users"]
    try:
        left = api.set_permissions(access_control_list=[])
        assert [one.group_name for one in left.access_control_list or []] == ["admins"]
        with pytest.raises(PermissionDenied, match="may not use access tokens"):
            ann.tokens.create(comment="x")
        entry = TokenAccessControlRequest(
            user_name=ann.current_user.me().user_name,
            permission_level=TokenPermissionLevel.CAN_USE,
        )
        api.update_permissions(access_control_list=[entry])
        assert ann.tokens.create(comment="x").token_value
        with pytest.raises(PermissionDenied):
            ann.token_management.set_permissions(access_control_list=[])
    finally:
        everybody = TokenAccessControlRequest(
            group_name="users", permission_level=TokenPermissionLevel.CAN_USE
        )
        api.set_permissions(access_control_list=[everybody])

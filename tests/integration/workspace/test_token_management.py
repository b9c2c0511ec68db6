"""Everybody's tokens, through the official client."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    NotFound,
    ResourceDoesNotExist,
)
from databricks.sdk.service.iam import (
    ServicePrincipal,
)
from tests.integration.workspace.conftest import with_token


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

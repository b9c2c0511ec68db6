"""Secrets of service principals, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.iam import (
    ServicePrincipal,
)

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_a_service_principal_has_at_most_five_secrets(
    client: WorkspaceClient, robot: ServicePrincipal
) -> None:
    for _ in range(5):
        client.service_principal_secrets_proxy.create(robot.id or "")
    with pytest.raises(Exception, match="at most 5"):
        client.service_principal_secrets_proxy.create(robot.id or "")
    for lifetime in ("x", "0s", "99999999s"):
        with pytest.raises(Exception, match=r"at most"):
            client.service_principal_secrets_proxy.create(robot.id or "", lifetime=lifetime)


def test_no_secret_lies_in_the_state_folder(
    client: WorkspaceClient, robot: ServicePrincipal, workspace: Workspace
) -> None:
    secret = client.service_principal_secrets_proxy.create(robot.id or "").secret or "-"
    token = client.tokens.create().token_value or "-"
    for file in workspace.state.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert secret.encode() not in content
            assert token.encode() not in content

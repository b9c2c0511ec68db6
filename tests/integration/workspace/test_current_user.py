"""The current user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk import WorkspaceClient

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_a_token_names_its_user(client: WorkspaceClient) -> None:
    me = client.current_user.me()
    assert me.user_name == "me@laketop.local"
    assert me.active
    assert me.emails is not None
    assert me.emails[0].value == "me@laketop.local"


def test_another_token_names_another_user(
    workspace: Workspace, client: WorkspaceClient, host: str
) -> None:
    client.users_v2.create(user_name="ann@laketop.local")
    other = WorkspaceClient(host=host, token=workspace.tokens.issue("ann@laketop.local"))
    assert other.current_user.me().user_name == "ann@laketop.local"


def test_the_workspace_id_comes_with_every_answer(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    assert client.get_workspace_id() == int(workspace.workspace_id)

"""The switches of a workspace, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_switches_are_read_and_changed_together(client: WorkspaceClient) -> None:
    keys = "enableExportNotebook,maxTokenLifetimeDays"
    told = {"enableExportNotebook": "true", "maxTokenLifetimeDays": ""}
    assert client.workspace_conf.get_status(keys) == told
    client.workspace_conf.set_status({"enableExportNotebook": "false"})
    assert client.workspace_conf.get_status("enableExportNotebook") == {
        "enableExportNotebook": "false"
    }


def test_a_switch_that_would_change_nothing_is_refused_with_all_others(
    client: WorkspaceClient,
) -> None:
    both = {"enableGp3": "true", "enableWebTerminal": "true"}
    with pytest.raises(NotImplemented, match="enableWebTerminal"):
        client.workspace_conf.set_status(both)
    told = client.workspace_conf.get_status("enableGp3,enableWebTerminal")
    assert told == {"enableGp3": "false", "enableWebTerminal": "false"}


def test_unknown_switches_and_users_who_are_no_admins_are_refused(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    with pytest.raises(InvalidParameterValue, match="Invalid keys"):
        client.workspace_conf.get_status("nothing")
    with pytest.raises(InvalidParameterValue, match="Invalid keys"):
        client.workspace_conf.set_status({"nothing": "true"})
    with pytest.raises(PermissionDenied):
        ann.workspace_conf.get_status("enableGp3")

"""The metastore, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import PolicyInfo, PolicyType, SecurableType

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_there_is_one_and_the_workspace_is_assigned_to_it(
    client: WorkspaceClient, workspace: Workspace, ann: WorkspaceClient
) -> None:
    current = client.metastores.current()
    assert (current.workspace_id, current.default_catalog_name) == (
        int(workspace.workspace_id),
        "main",
    )
    assert client.metastores.summary().metastore_id == current.metastore_id
    (only,) = client.metastores.list()
    assert client.metastores.get(only.metastore_id or "") == only
    assert ann.metastores.current() == current
    with pytest.raises(PermissionDenied):
        list(ann.metastores.list())
    with pytest.raises(NotFound) as caught:
        client.metastores.get("none")
    assert caught.value.error_code == "METASTORE_DOES_NOT_EXIST"


def test_another_metastore_is_neither_made_nor_assigned(client: WorkspaceClient) -> None:
    found = client.metastores
    mine = found.current().metastore_id or ""
    for ask in (
        lambda: found.create("other"),
        lambda: found.update(mine, new_name="other"),
        lambda: found.delete(mine, force=True),
        lambda: found.assign(1, mine, "main"),
        lambda: found.update_assignment(1, metastore_id=mine),
        lambda: found.unassign(1, mine),
    ):
        with pytest.raises(NotServed, match=r"laketop does not serve '[A-Z]+ /api/2\.1/unity-"):
            ask()
    assert found.current().metastore_id == mine


def test_policies_by_attributes_and_shares_are_refused_by_name(client: WorkspaceClient) -> None:
    policy = PolicyInfo(
        to_principals=["account users"],
        for_securable_type=SecurableType.TABLE,
        policy_type=PolicyType.POLICY_TYPE_ROW_FILTER,
    )
    for ask in (
        lambda: client.policies.create_policy(policy),
        lambda: list(client.policies.list_policies("CATALOG", "main")),
        lambda: client.policies.get_policy("CATALOG", "main", "p"),
        lambda: client.policies.delete_policy("CATALOG", "main", "p"),
        lambda: client.shares.create("s"),
        lambda: list(client.recipients.list()),
        lambda: list(client.providers.list()),
    ):
        with pytest.raises(NotServed, match=r"laketop does not serve '[A-Z]+ /api/2\.1/unity-"):
            ask()

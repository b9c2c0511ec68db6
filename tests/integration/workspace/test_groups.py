"""Groups of principals, through the official client."""

from __future__ import annotations

import secrets

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
)
from databricks.sdk.service.iam import (
    ComplexValue,
    Patch,
    PatchOp,
)
from tests.integration.workspace.conftest import SCIM_PATCH, MakeUser


def test_a_group_has_members_that_a_patch_adds_and_removes(
    client: WorkspaceClient, make_user: MakeUser
) -> None:
    ann, ben = make_user(), make_user()
    name = f"g{secrets.token_hex(4)}"
    group = client.groups_v2.create(display_name=name, members=[ComplexValue(value=ann.id)])
    add = Patch(op=PatchOp.ADD, path="members", value=[{"value": ben.id}])
    drop = Patch(op=PatchOp.REMOVE, path=f'members[value eq "{ann.id}"]')
    client.groups_v2.patch(group.id or "", operations=[add, drop], schemas=SCIM_PATCH)
    members = client.groups_v2.get(group.id or "").members or []
    assert [(one.value, one.ref) for one in members] == [(ben.id, f"Users/{ben.id}")]
    told = client.users_v2.get(ben.id or "").groups or []
    assert {one.display for one in told} == {"users", name}
    client.groups_v2.update(group.id or "", display_name=f"{name}2", members=[])
    assert not next(iter(client.groups_v2.list(filter=f'displayName eq "{name}2"'))).members
    client.groups_v2.delete(group.id or "")
    with pytest.raises(NotFound):
        client.groups_v2.get(group.id or "")


def test_whoever_is_at_the_laptop_cannot_be_locked_out(client: WorkspaceClient) -> None:
    me = client.current_user.me()
    with pytest.raises(PermissionDenied):
        client.users_v2.delete(me.id or "")
    admins = next(iter(client.groups_v2.list(filter='displayName eq "admins"')))
    with pytest.raises(PermissionDenied):
        client.groups_v2.update(admins.id or "", members=[])
    with pytest.raises(PermissionDenied):
        client.groups_v2.update(admins.id or "", display_name="admins")
    drop = Patch(op=PatchOp.REMOVE, path="members")
    with pytest.raises(PermissionDenied):
        client.groups_v2.patch(admins.id or "", operations=[drop], schemas=SCIM_PATCH)
    assert me.id in {one.value for one in client.groups_v2.get(admins.id or "").members or []}
    with pytest.raises(PermissionDenied):
        client.groups_v2.delete(admins.id or "")


def test_members_may_be_null_and_are_a_list_else(client: WorkspaceClient) -> None:
    name = f"g{secrets.token_hex(4)}"
    group = client.groups_v2.create(display_name=name).id or ""
    path = f"/api/2.0/preview/scim/v2/Groups/{group}"
    client.api_client.do("PUT", path, body={"displayName": name, "members": None})
    assert not client.groups_v2.get(group).members
    for members in (5, ["x"]):
        body = {"displayName": name, "members": members}
        for method, where in (("PUT", path), ("POST", path.rpartition("/")[0])):
            with pytest.raises(InvalidParameterValue, match="members of a group are a list"):
                client.api_client.do(method, where, body=body)
    client.groups_v2.delete(group)


def test_a_start_that_is_no_number_is_the_first(client: WorkspaceClient) -> None:
    told = client.api_client.do(
        "GET", "/api/2.0/preview/scim/v2/Groups", query={"startIndex": "--5", "count": "٣"}
    )
    assert isinstance(told, dict)
    assert (told["startIndex"], told["itemsPerPage"]) == (1, told["totalResults"])

"""Users, through the official client."""

from __future__ import annotations

import json
import secrets

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceConflict,
    Unauthenticated,
)
from databricks.sdk.service.iam import (
    ListSortOrder,
    Patch,
    PatchOp,
)
from tests.integration.workspace.conftest import SCIM_PATCH, ClientOf, MakeUser

from laketop.workspace.workspace import Workspace


def test_a_user_is_made_found_changed_and_forgotten(
    client: WorkspaceClient, make_user: MakeUser
) -> None:
    made = make_user()
    assert (made.active, made.display_name) == (True, "U")
    assert [group.display for group in made.groups or []] == ["users"]
    assert client.users_v2.get(made.id or "") == made
    found = list(client.users_v2.list(filter=f'userName eq "{made.user_name}"'))
    assert found == [made]
    rename = Patch(op=PatchOp.REPLACE, path="displayName", value="Other")
    client.users_v2.patch(made.id or "", operations=[rename], schemas=SCIM_PATCH)
    assert client.users_v2.get(made.id or "").display_name == "Other"
    client.users_v2.update(made.id or "", user_name="ignored@x.io", display_name="Third")
    changed = client.users_v2.get(made.id or "")
    assert (changed.user_name, changed.display_name) == (made.user_name, "Third")
    client.users_v2.delete(made.id or "")
    for call in (client.users_v2.get, client.users_v2.delete):
        with pytest.raises(NotFound, match=f"User with id {made.id} not found"):
            call(made.id or "")


def test_a_user_is_made_once(client: WorkspaceClient, make_user: MakeUser) -> None:
    made = make_user()
    with pytest.raises(ResourceConflict, match=f"username {made.user_name} already exists"):
        client.users_v2.create(user_name=made.user_name)


def test_lists_are_paged_sorted_and_cut_to_attributes(
    client: WorkspaceClient, make_user: MakeUser
) -> None:
    names = sorted(str(make_user().user_name) for _ in range(3))
    some = f'userName eq "{names[0]}" or userName eq "{names[1]}" or userName eq "{names[2]}"'
    found = list(
        client.users_v2.list(
            filter=some,
            count=2,
            attributes="userName",
            sort_by="userName",
            sort_order=ListSortOrder.DESCENDING,
        )
    )
    assert [one.user_name for one in found] == names[::-1]
    assert {one.display_name for one in found} == {None}
    with pytest.raises(BadRequest, match="filter"):
        list(client.users_v2.list(filter="nonsense"))


def test_the_caller_is_told_with_groups(
    client: WorkspaceClient, make_user: MakeUser, client_of: ClientOf
) -> None:
    mine = {one.display for one in client.current_user.me().groups or []}
    assert mine == {"admins", "users"}
    made = make_user()
    other = client_of(made.user_name)
    assert other.current_user.me() == made


def test_who_is_no_admin_reads_and_does_not_write(
    client: WorkspaceClient, make_user: MakeUser, client_of: ClientOf
) -> None:
    made = make_user()
    other = client_of(made.user_name)
    assert made.id in {one.id for one in other.users_v2.list()}
    with pytest.raises(PermissionDenied, match="not an admin"):
        other.users_v2.create(user_name="x@laketop.local")
    with pytest.raises(PermissionDenied):
        other.groups_v2.create(display_name="x")
    with pytest.raises(PermissionDenied):
        other.service_principals_v2.delete("1")
    admins = next(iter(client.groups_v2.list(filter='displayName eq "admins"')))
    add = Patch(op=PatchOp.ADD, path="members", value=[{"value": made.id}])
    client.groups_v2.patch(admins.id or "", operations=[add], schemas=SCIM_PATCH)
    assert other.users_v2.create(user_name=f"{secrets.token_hex(4)}@laketop.local").id


@pytest.mark.parametrize("name", ["two\nlines@x", "sep\u2028arated", ""])
def test_a_name_that_cannot_be_written_on_one_line_is_refused(
    client: WorkspaceClient, name: str
) -> None:
    with pytest.raises(InvalidParameterValue, match="can be printed"):
        client.users_v2.create(user_name=name)
    assert client.current_user.me().user_name


def test_a_user_who_is_not_active_or_gone_is_let_in_no_more(
    client: WorkspaceClient, workspace: Workspace, make_user: MakeUser, client_of: ClientOf
) -> None:
    made = make_user()
    other = client_of(made.user_name)
    for active in (False, True):
        client.users_v2.update(made.id or "", active=active)
        if active:
            assert other.current_user.me().id == made.id
        else:
            with pytest.raises(Unauthenticated):
                other.current_user.me()
        users = json.loads((workspace.state / "catalog" / "_users.json").read_text())
        assert (made.user_name in {one["user"] for one in users.values()}) is active
    client.users_v2.delete(made.id or "")
    again = client.users_v2.create(user_name=made.user_name)
    assert again.id != made.id
    with pytest.raises(Unauthenticated):
        other.current_user.me()

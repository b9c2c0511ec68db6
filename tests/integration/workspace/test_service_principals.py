"""Service principals, through the official client."""

from __future__ import annotations

import secrets

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    NotFound,
)
from databricks.sdk.service.iam import (
    Group,
    Patch,
    PatchOp,
    ServicePrincipal,
    User,
)
from tests.integration.workspace.conftest import SCIM_PATCH, MakeUser


def test_a_service_principal_is_made_found_changed_and_forgotten(client: WorkspaceClient) -> None:
    made = client.service_principals_v2.create(display_name="robot")
    assert client.service_principals_v2.get(made.id or "") == made
    by_id = f'applicationId eq "{made.application_id}"'
    assert list(client.service_principals_v2.list(filter=by_id)) == [made]
    change = Patch(op=PatchOp.REPLACE, path="externalId", value="x")
    client.service_principals_v2.patch(made.id or "", operations=[change], schemas=SCIM_PATCH)
    assert client.service_principals_v2.get(made.id or "").external_id == "x"
    client.service_principals_v2.update(made.id or "", display_name="other", active=True)
    changed = client.service_principals_v2.get(made.id or "")
    assert (changed.display_name, changed.application_id) == ("other", made.application_id)
    client.service_principals_v2.delete(made.id or "")
    with pytest.raises(NotFound):
        client.service_principals_v2.get(made.id or "")


def test_what_is_told_survives_the_dataclasses(
    client: WorkspaceClient, make_user: MakeUser
) -> None:
    robot = client.service_principals_v2.create(display_name="robot")
    group = client.groups_v2.create(display_name=f"g{secrets.token_hex(4)}")
    for kind, path, one in (
        (User, "Users", make_user()),
        (Group, "Groups", group),
        (ServicePrincipal, "ServicePrincipals", robot),
    ):
        raw = client.api_client.do("GET", f"/api/2.0/preview/scim/v2/{path}/{one.id}")
        assert isinstance(raw, dict)
        again = kind.from_dict(raw).as_dict()
        assert {k: v for k, v in raw.items() if v != []} == again

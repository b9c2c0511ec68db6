"""Credentials for storage, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service.catalog import (
    AwsIamRole,
    AwsIamRoleRequest,
    CredentialPurpose,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ARN = "arn:aws:iam::123456789012:role/r"


def test_a_storage_credential_is_a_credential_for_storage(client: WorkspaceClient) -> None:
    api = client.storage_credentials
    made = api.create("store", aws_iam_role=AwsIamRoleRequest(ARN), comment="c")
    assert made.aws_iam_role is not None
    assert (made.name, made.aws_iam_role.role_arn, made.comment) == ("store", ARN, "c")
    assert api.get("store") == made
    assert client.credentials.get_credential("store").purpose is CredentialPurpose.STORAGE
    assert api.update("store", comment="d", new_name="shop").comment == "d"
    assert [one.name for one in api.list(max_results=1)] == ["shop"]
    api.delete("shop")
    with pytest.raises(NotFound, match="'shop' does not exist"):
        api.get("shop")


def test_a_credential_for_services_is_none_for_storage(client: WorkspaceClient) -> None:
    client.credentials.create_credential(
        "service", aws_iam_role=AwsIamRole(role_arn=ARN), purpose=CredentialPurpose.SERVICE
    )
    assert list(client.storage_credentials.list()) == []
    for call in (client.storage_credentials.get, client.storage_credentials.delete):
        with pytest.raises(BadRequest, match="not one for storage"):
            call("service")
    client.credentials.delete_credential("service")

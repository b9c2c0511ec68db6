"""Credentials of Unity Catalog, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.catalog import (
    AwsIamRole,
    AzureServicePrincipal,
    CredentialPurpose,
    PermissionsChange,
    Privilege,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ROLE = AwsIamRole(role_arn="arn:aws:iam::123456789012:role/r")


def test_a_credential_is_kept_renamed_given_away_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.credentials
    made = api.create_credential(
        "Own", aws_iam_role=ROLE, purpose=CredentialPurpose.SERVICE, comment="c"
    )
    assert (made.name, made.full_name, made.aws_iam_role) == ("own", "own", ROLE)
    assert made.purpose is CredentialPurpose.SERVICE
    assert api.get_credential("own") == made
    with pytest.raises(BadRequest, match="Credential 'own' already exists") as taken:
        api.create_credential("own", aws_iam_role=ROLE)
    assert taken.value.error_code == "CREDENTIAL_ALREADY_EXISTS"
    for call in (ann.credentials.get_credential, ann.credentials.delete_credential):
        with pytest.raises(PermissionDenied):
            call("own")
    assert list(ann.credentials.list_credentials()) == []
    me = ann.current_user.me().user_name
    changed = api.update_credential("own", new_name="theirs", owner=me, comment="d")
    assert (changed.name, changed.owner, changed.comment) == ("theirs", me, "d")
    assert [one.name for one in ann.credentials.list_credentials(max_results=1)] == ["theirs"]
    ann.credentials.delete_credential("theirs")
    with pytest.raises(NotFound, match="Credential 'theirs' does not exist") as gone:
        api.get_credential("theirs")
    assert gone.value.error_code == "CREDENTIAL_DOES_NOT_EXIST"


def test_a_credential_is_of_one_cloud_and_its_secret_is_not_kept(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="one of aws_iam_role"):
        client.credentials.create_credential("none")
    azure = AzureServicePrincipal(application_id="a", directory_id="d", client_secret="hidden-word")
    with pytest.raises(InvalidParameterValue, match="one of aws_iam_role"):
        client.credentials.create_credential(
            "both", aws_iam_role=ROLE, azure_service_principal=azure
        )
    with pytest.raises(InvalidParameterValue, match="valid name"):
        client.credentials.create_credential("a.b", aws_iam_role=ROLE)
    sent = {
        "name": "azure",
        "azure_service_principal": azure.as_dict(),
        "purpose": "STORAGE",
    }
    path = "/api/2.1/unity-catalog/credentials"
    assert "hidden-word" not in str(client.api_client.do("POST", path, body=sent))
    assert "hidden-word" not in str(client.api_client.do("GET", f"{path}/azure"))
    switched = client.credentials.update_credential("azure", aws_iam_role=ROLE)
    assert (switched.azure_service_principal, switched.aws_iam_role) == (None, ROLE)
    client.credentials.delete_credential("azure")


def test_who_holds_the_privilege_makes_one(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    with pytest.raises(PermissionDenied, match="CREATE STORAGE CREDENTIAL on Metastore"):
        ann.credentials.create_credential("hers", aws_iam_role=ROLE)
    me = ann.current_user.me().user_name
    change = PermissionsChange(principal=me, add=[Privilege.CREATE_STORAGE_CREDENTIAL])
    metastore = client.metastores.summary().metastore_id or ""
    client.grants.update("metastore", metastore, changes=[change])
    assert ann.credentials.create_credential("hers", aws_iam_role=ROLE).owner == me
    ann.credentials.delete_credential("hers")

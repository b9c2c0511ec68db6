"""Instance profiles, through the official client."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)

ARN = "arn:aws:iam::123456789012:instance-profile/data"


def test_a_profile_is_added_listed_edited_and_removed(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    client.instance_profiles.add(ARN)
    with pytest.raises(ResourceAlreadyExists):
        client.instance_profiles.add(ARN)
    with pytest.raises(InvalidParameterValue):
        client.instance_profiles.add("data")
    with pytest.raises(PermissionDenied):
        ann.instance_profiles.remove(ARN)
    role = "arn:aws:iam::123456789012:role/data"
    client.instance_profiles.edit(ARN, iam_role_arn=role)
    told = list(client.instance_profiles.list())
    assert [(one.instance_profile_arn, one.iam_role_arn) for one in told] == [(ARN, role)]
    client.instance_profiles.remove(ARN)
    with pytest.raises(ResourceDoesNotExist):
        client.instance_profiles.remove(ARN)

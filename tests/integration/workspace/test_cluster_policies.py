"""Cluster policies, through the official client."""

from __future__ import annotations

import json
import secrets

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel


def test_a_policy_is_made_read_edited_and_forgotten(client: WorkspaceClient) -> None:
    name = secrets.token_hex(4)
    made = client.cluster_policies.create(name=name, definition="{}", max_clusters_per_user=1)
    policy = made.policy_id or ""
    told = client.cluster_policies.get(policy)
    assert (told.name, told.definition, told.max_clusters_per_user) == (name, "{}", 1)
    assert told in list(client.cluster_policies.list())
    with pytest.raises(InvalidParameterValue, match="already exists"):
        client.cluster_policies.create(name=name)
    for wrong in ("[", "[]", '{"a": 1}', '{"a": {"type": "fixed"}}'):
        with pytest.raises(InvalidParameterValue):
            client.cluster_policies.edit(policy, definition=wrong)
    definition = json.dumps({"num_workers": {"type": "fixed", "value": 1}})
    client.cluster_policies.edit(policy, name=name, definition=definition)
    changed = client.cluster_policies.get(policy)
    assert (changed.definition, changed.max_clusters_per_user) == (definition, None)
    client.cluster_policies.delete(policy)
    with pytest.raises(ResourceDoesNotExist):
        client.cluster_policies.get(policy)


def test_clusters_that_are_there_are_told_of(client: WorkspaceClient) -> None:
    policy = client.cluster_policies.create(name=secrets.token_hex(4), definition="{}").policy_id
    made = [
        client.clusters.create(spark_version="x", policy_id=policy, num_workers=n)
        .result()
        .cluster_id
        for n in (1, 5)
    ]
    definition = json.dumps({"num_workers": {"type": "range", "maxValue": 2}})
    client.cluster_policies.edit(policy or "", definition=definition)
    told = {
        one.cluster_id: one.is_compliant
        for one in client.policy_compliance_for_clusters.list_compliance(policy or "", page_size=1)
    }
    assert told == {made[0]: True, made[1]: False}
    found = client.policy_compliance_for_clusters.get_compliance(made[1] or "")
    assert found.violations == {"num_workers": "the value must be at most 2"}


def test_only_admins_write_and_only_who_may_use_one_sees_it(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    policy = client.cluster_policies.create(name=secrets.token_hex(4)).policy_id or ""
    assert list(ann.cluster_policies.list()) == []
    with pytest.raises(PermissionDenied):
        ann.cluster_policies.get(policy)
    with pytest.raises(PermissionDenied):
        ann.cluster_policies.create(name="x")
    entry = AccessControlRequest(
        user_name=ann.current_user.me().user_name, permission_level=PermissionLevel.CAN_USE
    )
    with pytest.raises(PermissionDenied):
        ann.permissions.update("cluster-policies", policy, access_control_list=[entry])
    client.permissions.update("cluster-policies", policy, access_control_list=[entry])
    assert ann.cluster_policies.get(policy).policy_id == policy


def test_families_are_refused(client: WorkspaceClient) -> None:
    with pytest.raises(NotServed, match="families"):
        client.cluster_policies.create(name="x", policy_family_id="personal-vm")

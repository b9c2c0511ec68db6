"""Instance pools, through the official client."""

from __future__ import annotations

import secrets

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.compute import InstancePoolState


def test_a_pool_is_made_read_edited_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    name = secrets.token_hex(4)
    pool = client.instance_pools.create(name, "m5.large", min_idle_instances=1).instance_pool_id
    told = client.instance_pools.get(pool or "")
    assert told.state is InstancePoolState.ACTIVE
    assert (told.instance_pool_name, told.min_idle_instances) == (name, 1)
    assert client.instance_pools.get(pool or "") == told
    assert pool in {one.instance_pool_id for one in client.instance_pools.list()}
    with pytest.raises(InvalidParameterValue, match="exists already"):
        client.instance_pools.create(name, "m5.large")
    with pytest.raises(InvalidParameterValue, match="cannot be changed"):
        client.instance_pools.edit(pool or "", name, "other")
    client.instance_pools.edit(pool or "", f"{name}2", "m5.large")
    assert client.instance_pools.get(pool or "").instance_pool_name == f"{name}2"
    with pytest.raises(PermissionDenied):
        ann.instance_pools.get(pool or "")
    assert list(ann.instance_pools.list()) == []
    client.instance_pools.delete(pool or "")
    with pytest.raises(ResourceDoesNotExist):
        client.instance_pools.get(pool or "")

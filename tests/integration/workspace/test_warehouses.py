"""SQL warehouses through the official client."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.sql import (
    CreateWarehouseRequestWarehouseType,
    EndpointConfPair,
    RepeatedEndpointConfPairs,
    SetWorkspaceWarehouseConfigRequestSecurityPolicy,
    State,
    WarehouseTypePair,
    WarehouseTypePairWarehouseType,
)


def test_a_new_workspace_has_a_warehouse(client: WorkspaceClient) -> None:
    first = next(iter(client.warehouses.list()))
    assert (first.name, first.state) == ("Serverless Starter Warehouse", State.RUNNING)


def test_a_warehouse_is_made_changed_stopped_started_and_deleted(client: WorkspaceClient) -> None:
    made = client.warehouses.create_and_wait(name="mine", cluster_size="Medium")
    assert made.id is not None
    assert made.odbc_params is not None
    assert made.odbc_params.path == f"/sql/1.0/warehouses/{made.id}"

    client.warehouses.edit(made.id, name="ours", cluster_size="Small")
    assert client.warehouses.get(made.id).name == "ours"
    assert client.warehouses.stop_and_wait(made.id).state is State.STOPPED
    assert client.warehouses.start_and_wait(made.id).state is State.RUNNING

    client.warehouses.delete(made.id)
    with pytest.raises(ResourceDoesNotExist, match=made.id):
        client.warehouses.get(made.id)


def test_two_warehouses_cannot_have_one_name(client: WorkspaceClient) -> None:
    made = client.warehouses.create_and_wait(name="twice", cluster_size="Small")
    assert made.id is not None
    with pytest.raises(InvalidParameterValue, match="twice"):
        client.warehouses.create(name="twice", cluster_size="Small")
    client.warehouses.delete(made.id)


@pytest.mark.parametrize("size", ["", "small", "Enormous", "é"])
def test_a_size_that_is_none_is_refused(client: WorkspaceClient, size: str) -> None:
    names = [one.name for one in client.warehouses.list()]
    with pytest.raises(InvalidParameterValue, match="no cluster_size: it is one of 2X-Small, "):
        client.warehouses.create(name="sized", cluster_size=size)
    first = next(iter(client.warehouses.list()))
    with pytest.raises(InvalidParameterValue, match="no cluster_size"):
        client.warehouses.edit(first.id or "", cluster_size=size)
    assert [one.name for one in client.warehouses.list()] == names


@pytest.mark.parametrize(
    "told", [{"tags": "x"}, {"tags": ["x"]}, {"tags": 5}, {"enable_serverless_compute": "maybe"}]
)
def test_a_field_of_another_type_is_refused(client: WorkspaceClient, told: dict[str, Any]) -> None:
    names = [one.name for one in client.warehouses.list()]
    first = next(iter(client.warehouses.list()))
    for path in ("", f"/{first.id}/edit"):
        with pytest.raises(InvalidParameterValue, match=next(iter(told))):
            client.api_client.do(
                "POST", f"/api/2.0/sql/warehouses{path}", body={"name": "typed", **told}
            )
    assert [one.name for one in client.warehouses.list()] == names


def test_what_holds_for_all_warehouses_holds(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    api = client.warehouses
    start = api.get_workspace_warehouse_config()
    assert {one.enabled for one in start.enabled_warehouse_types or []} == {True}
    pair = WarehouseTypePair(enabled=False, warehouse_type=WarehouseTypePairWarehouseType.CLASSIC)
    api.set_workspace_warehouse_config(enabled_warehouse_types=[pair])
    assert api.get_workspace_warehouse_config().enabled_warehouse_types == [pair]
    with pytest.raises(InvalidParameterValue, match="CLASSIC are not enabled"):
        api.create(name="old", warehouse_type=CreateWarehouseRequestWarehouseType.CLASSIC)
    options = RepeatedEndpointConfPairs(configuration_pairs=[EndpointConfPair("ANSI_MODE", "0")])
    with pytest.raises(NotImplemented, match="no sql_configuration_parameters"):
        api.set_workspace_warehouse_config(sql_configuration_parameters=options)
    policy = SetWorkspaceWarehouseConfigRequestSecurityPolicy.PASSTHROUGH
    with pytest.raises(NotImplemented, match="security_policy"):
        api.set_workspace_warehouse_config(security_policy=policy)
    with pytest.raises(PermissionDenied):
        ann.warehouses.set_workspace_warehouse_config()
    api.set_workspace_warehouse_config()
    assert api.get_workspace_warehouse_config() == start

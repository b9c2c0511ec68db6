"""Bindings of catalogs to workspaces, through the official client."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
)
from databricks.sdk.service.catalog import (
    CatalogIsolationMode,
    WorkspaceBinding,
    WorkspaceBindingBindingType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

ROUTE = "/api/laketop/1/workspaces"
WHOLE = WorkspaceBindingBindingType.BINDING_TYPE_READ_WRITE
READ_ONLY = WorkspaceBindingBindingType.BINDING_TYPE_READ_ONLY


@pytest.fixture
def catalog(client: WorkspaceClient) -> Iterator[str]:
    name = f"b{secrets.token_hex(4)}"
    client.catalogs.create(name)
    yield name
    client.catalogs.delete(name, force=True)


@pytest.fixture
def own(client: WorkspaceClient) -> int:
    return client.get_workspace_id()


def bindings(client: WorkspaceClient, catalog: str) -> list[WorkspaceBinding]:
    return list(client.workspace_bindings.get_bindings("catalog", catalog))


def test_a_catalog_is_open_and_an_isolated_one_is_bound_to_the_workspace_of_the_caller(
    client: WorkspaceClient, catalog: str, own: int
) -> None:
    assert client.catalogs.get(catalog).isolation_mode is CatalogIsolationMode.OPEN
    assert bindings(client, catalog) == []
    told = client.catalogs.update(catalog, isolation_mode=CatalogIsolationMode.ISOLATED)
    assert told.isolation_mode is CatalogIsolationMode.ISOLATED
    assert bindings(client, catalog) == [WorkspaceBinding(own, WHOLE)]
    assert client.workspace_bindings.get(catalog).workspaces == [own]
    client.catalogs.update(catalog, comment="c", new_name=f"{catalog}x")
    assert bindings(client, f"{catalog}x") == [WorkspaceBinding(own, WHOLE)]
    client.catalogs.update(f"{catalog}x", new_name=catalog)
    client.catalogs.update(catalog, isolation_mode=CatalogIsolationMode.OPEN)
    assert client.catalogs.get(catalog).isolation_mode is CatalogIsolationMode.OPEN


def test_bindings_are_added_changed_and_removed(
    client: WorkspaceClient, catalog: str, own: int
) -> None:
    api = client.workspace_bindings
    for type_ in (WHOLE, READ_ONLY):
        told = api.update_bindings("catalog", catalog, add=[WorkspaceBinding(own, type_)])
        assert told.bindings == bindings(client, catalog) == [WorkspaceBinding(own, type_)]
    removed = api.update_bindings("catalog", catalog, remove=[WorkspaceBinding(own)])
    assert removed.bindings == []
    assert api.update(catalog, assign_workspaces=[own]).workspaces == [own]
    assert not api.update(catalog, unassign_workspaces=[own]).workspaces


def test_what_would_keep_a_workspace_out_is_refused_and_changes_nothing(
    client: WorkspaceClient, catalog: str, own: int
) -> None:
    api = client.workspace_bindings
    client.catalogs.update(catalog, isolation_mode=CatalogIsolationMode.ISOLATED)
    with pytest.raises(NotImplemented, match=f"does not keep workspace .* out of .*{catalog}"):
        api.update_bindings("catalog", catalog, add=[WorkspaceBinding(own, READ_ONLY)])
    with pytest.raises(NotImplemented, match="does not keep workspace"):
        api.update(catalog, unassign_workspaces=[own])
    with pytest.raises(NotImplemented, match=f"isolated catalog '{catalog}'"):
        client.api_client.do("POST", ROUTE, body={"name": "other"})
    assert bindings(client, catalog) == [WorkspaceBinding(own, WHOLE)]


def test_with_two_workspaces_a_catalog_is_isolated_once_it_is_bound_to_both(
    client: WorkspaceClient, catalog: str, own: int
) -> None:
    client.api_client.do("POST", ROUTE, body={"name": "second"})
    try:
        with pytest.raises(NotImplemented, match="'second'"):
            client.catalogs.update(catalog, isolation_mode=CatalogIsolationMode.ISOLATED)
        assert client.catalogs.get(catalog).isolation_mode is CatalogIsolationMode.OPEN
        told = client.api_client.do("GET", ROUTE)
        ids = sorted(one["workspace_id"] for one in told["workspaces"])
        assert client.workspace_bindings.update(catalog, assign_workspaces=ids).workspaces == ids
        client.catalogs.update(catalog, isolation_mode=CatalogIsolationMode.ISOLATED)
        assert {one.workspace_id for one in bindings(client, catalog)} == {*ids, own}
    finally:
        client.api_client.do("DELETE", f"{ROUTE}/second")


def test_other_objects_unknown_workspaces_and_users_without_the_right_are_refused(
    client: WorkspaceClient, ann: WorkspaceClient, catalog: str, own: int
) -> None:
    api = client.workspace_bindings
    with pytest.raises(NotImplemented, match="external_location"):
        list(api.get_bindings("external_location", "x"))
    with pytest.raises(InvalidParameterValue, match="'table'"):
        list(api.get_bindings("table", "x"))
    with pytest.raises(NotFound, match="Workspace 5 does not exist"):
        api.update_bindings("catalog", catalog, add=[WorkspaceBinding(5)])
    with pytest.raises(NotFound, match="does not exist"):
        list(api.get_bindings("catalog", "nothing"))
    with pytest.raises(PermissionDenied):
        list(ann.workspace_bindings.get_bindings("catalog", catalog))
    with pytest.raises(PermissionDenied):
        ann.workspace_bindings.update(catalog, assign_workspaces=[own])

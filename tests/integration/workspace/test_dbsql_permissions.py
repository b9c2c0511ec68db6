"""Permissions on queries and alerts by the older API, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.sql import (
    AccessControl,
    CreateQueryRequestQuery,
    ObjectTypePlural,
    OwnableObjectType,
    PermissionLevel,
    SuccessMessage,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

QUERIES = ObjectTypePlural.QUERIES


@pytest.fixture
def query(client: WorkspaceClient) -> Any:
    return client.queries.create(query=CreateQueryRequestQuery(query_text="SELECT 1")).id


def test_permissions_are_those_of_the_newer_api(
    client: WorkspaceClient, ann: WorkspaceClient, query: Any
) -> None:
    api, me = client.dbsql_permissions, ann.current_user.me().user_name
    start = api.get(QUERIES, query)
    assert start.object_id == f"queries/{query}"
    assert [one.user_name for one in start.access_control_list or []] == ["me@laketop.local"]
    with pytest.raises(PermissionDenied):
        ann.dbsql_permissions.get(QUERIES, query)
    given = [AccessControl(user_name=me, permission_level=PermissionLevel.CAN_VIEW)]
    assert api.set(QUERIES, query, access_control_list=given).access_control_list == given
    assert ann.queries.get(query).id == query
    wrong = [AccessControl(user_name=me)]
    with pytest.raises(InvalidParameterValue, match="CAN_"):
        api.set(QUERIES, query, access_control_list=wrong)


def test_a_query_is_given_to_another(
    client: WorkspaceClient, ann: WorkspaceClient, query: Any
) -> None:
    api, me = client.dbsql_permissions, ann.current_user.me().user_name
    with pytest.raises(PermissionDenied, match="not an admin"):
        ann.dbsql_permissions.transfer_ownership(OwnableObjectType.QUERY, query, new_owner=me)
    with pytest.raises(InvalidParameterValue, match="'nobody' does not exist"):
        api.transfer_ownership(OwnableObjectType.QUERY, query, new_owner="nobody")
    told = api.transfer_ownership(OwnableObjectType.QUERY, query, new_owner=me)
    assert told.message is SuccessMessage.SUCCESS
    assert client.queries.get(query).owner_user_name == me
    ann.queries.delete(query)


def test_what_is_not_there_and_other_types_are_refused(client: WorkspaceClient) -> None:
    api = client.dbsql_permissions
    with pytest.raises(ResourceDoesNotExist, match="query none"):
        api.get(QUERIES, "none")
    for kind in (ObjectTypePlural.DASHBOARDS, ObjectTypePlural.DATA_SOURCES):
        with pytest.raises(NotImplemented, match="no such permissions"):
            api.get(kind, "x")

"""Connections, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.catalog import ConnectionType

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

OPTIONS = {"host": "h", "port": "5432", "user": "u", "password": "hidden-word"}


def test_a_connection_is_kept_without_its_secrets(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.connections
    made = api.create("pg", ConnectionType.POSTGRESQL, OPTIONS, comment="c")
    assert made.connection_type is ConnectionType.POSTGRESQL
    assert made.options == {"host": "h", "port": "5432", "user": "u"}
    assert made.connection_id
    assert api.get("pg") == made
    with pytest.raises(BadRequest, match="Connection 'pg' already exists"):
        api.create("pg", ConnectionType.MYSQL, OPTIONS)
    with pytest.raises(PermissionDenied, match="CREATE CONNECTION on Metastore"):
        ann.connections.create("hers", ConnectionType.MYSQL, OPTIONS)
    assert list(ann.connections.list()) == []
    assert [one.name for one in client.connections.list()] == ["pg"]
    changed = api.update("pg", {"host": "i"}, new_name="pq")
    assert (changed.name, changed.options) == ("pq", {"host": "i"})
    assert changed.connection_type is ConnectionType.POSTGRESQL
    api.delete("pq")
    with pytest.raises(NotFound, match="Connection 'pq' does not exist"):
        api.get("pq")


def test_what_cannot_be_a_connection_is_refused(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="Missing required field: options"):
        client.connections.create("x", ConnectionType.MYSQL, {})
    body = {"name": "x", "connection_type": "ABACUS", "options": {"host": "h"}}
    with pytest.raises(InvalidParameterValue, match="connection_type"):
        client.api_client.do("POST", "/api/2.1/unity-catalog/connections", body=body)

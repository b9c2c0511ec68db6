"""Saved queries, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service.sql import CreateQueryRequestQuery, UpdateQueryRequestQuery

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_a_query_is_kept_changed_listed_and_forgotten(client: WorkspaceClient) -> None:
    made = client.queries.create(
        query=CreateQueryRequestQuery(display_name="q", query_text="SELECT 1", warehouse_id="w")
    )
    assert made.id is not None
    assert client.queries.get(made.id).query_text == "SELECT 1"
    changed = UpdateQueryRequestQuery(query_text="SELECT 2", display_name="not asked for")
    assert client.queries.update(made.id, "query_text", query=changed).query_text == "SELECT 2"
    assert client.queries.get(made.id).display_name == "q"
    others = {
        client.queries.create(query=CreateQueryRequestQuery(query_text="SELECT 3")).id
        for _ in range(3)
    }
    assert {query.id for query in client.queries.list(page_size=2)} == {made.id, *others}
    client.queries.delete(made.id)
    with pytest.raises(ResourceDoesNotExist, match="does not exist"):
        client.queries.get(made.id)

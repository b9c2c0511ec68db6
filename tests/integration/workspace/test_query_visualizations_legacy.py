"""Visualizations of queries, by the older API, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service.sql import CreateQueryRequestQuery

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_a_visualization_is_the_same_by_both_apis(client: WorkspaceClient) -> None:
    api = client.query_visualizations_legacy
    query = client.queries.create(query=CreateQueryRequestQuery(query_text="SELECT 1")).id or ""
    made = api.create({"x": "a"}, query, "CHART", name="bars")
    assert (made.name, made.type, made.options) == ("bars", "CHART", {"x": "a"})
    (told,) = client.queries.list_visualizations(query)
    assert (told.id, told.display_name, told.serialized_options) == (made.id, "bars", '{"x": "a"}')
    changed = api.update(id=made.id, name="lines", options={"x": "b"})
    assert (changed.name, changed.type, changed.options) == ("lines", "CHART", {"x": "b"})
    api.delete(made.id or "")
    with pytest.raises(ResourceDoesNotExist):
        api.delete(made.id or "")

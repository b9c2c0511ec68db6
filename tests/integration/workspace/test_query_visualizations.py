"""Visualizations of queries, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied, ResourceDoesNotExist
from databricks.sdk.service.sql import (
    CreateQueryRequestQuery,
    CreateVisualizationRequestVisualization,
    UpdateVisualizationRequestVisualization,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_a_visualization_is_kept_changed_listed_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.query_visualizations
    query = client.queries.create(query=CreateQueryRequestQuery(query_text="SELECT 1")).id or ""
    sent = CreateVisualizationRequestVisualization(
        query_id=query, display_name="bars", type="BAR", serialized_options="{}"
    )
    made = api.create(visualization=sent)
    assert (made.display_name, made.query_id, made.serialized_options) == ("bars", query, "{}")
    api.create(visualization=sent)
    told = list(client.queries.list_visualizations(query, page_size=1))
    assert len(told) == 2
    assert made in told
    new = UpdateVisualizationRequestVisualization(display_name="lines", type="LINE")
    changed = api.update(made.id or "", "display_name", visualization=new)
    assert (changed.display_name, changed.type) == ("lines", "BAR")
    with pytest.raises(InvalidParameterValue, match="'query_id', no such field"):
        api.update(made.id or "", "query_id", visualization=new)
    with pytest.raises(PermissionDenied):
        ann.query_visualizations.delete(made.id or "")
    with pytest.raises(PermissionDenied):
        list(ann.queries.list_visualizations(query))
    api.delete(made.id or "")
    with pytest.raises(ResourceDoesNotExist, match="Visualization"):
        api.delete(made.id or "")
    nothing = CreateVisualizationRequestVisualization(query_id="none")
    with pytest.raises(ResourceDoesNotExist, match="query none"):
        api.create(visualization=nothing)

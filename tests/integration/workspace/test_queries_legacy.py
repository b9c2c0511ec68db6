"""Saved queries by the older API, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.sql import RunAsRole

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

OPTIONS = {
    "parameters": [
        {"name": "city", "title": "City", "type": "text", "value": "Oslo"},
        {"name": "n", "type": "number", "value": 2.5},
    ]
}


def test_a_query_is_the_same_by_both_apis(client: WorkspaceClient) -> None:
    api = client.queries_legacy
    made = api.create(name="q", query="SELECT :city", options=OPTIONS, tags=["t"])
    assert (made.name, made.query, made.tags) == ("q", "SELECT :city", ["t"])
    assert made.options is not None
    assert [one.value for one in made.options.parameters or []] == ["Oslo", 2.5]
    assert made.user is not None
    assert made.user.email == "me@laketop.local"
    id_ = made.id or ""
    assert api.get(id_) == made
    told = client.queries.get(id_)
    assert (told.display_name, told.query_text) == ("q", "SELECT :city")
    changed = api.update(id_, query="SELECT 2", run_as_role=RunAsRole.VIEWER)
    assert (changed.name, changed.query, changed.run_as_role) == ("q", "SELECT 2", RunAsRole.VIEWER)
    assert client.queries.get(id_).query_text == "SELECT 2"
    client.queries.delete(id_)


def test_queries_are_listed_by_pages_by_name_and_in_order(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.queries_legacy
    ids = [api.create(name=name, query="SELECT 1").id or "" for name in ("b 1", "a 1", "c 2")]
    assert [one.name for one in api.list(q=" 1", order="name", page_size=1)] == ["a 1", "b 1"]
    assert [one.name for one in api.list(order="-name", page_size=2)] == ["c 2", "b 1", "a 1"]
    assert list(ann.queries_legacy.list()) == []
    for wrong in ({"order": "color"}, {"page_size": 251}):
        with pytest.raises(InvalidParameterValue):
            list(api.list(**wrong))
    for one in ids:
        api.delete(one)


def test_a_query_in_the_trash_comes_back(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    api = client.queries_legacy
    id_ = api.create(name="back", query="SELECT 1").id or ""
    with pytest.raises(ResourceDoesNotExist, match="not in the trash"):
        api.restore(id_)
    api.delete(id_)
    with pytest.raises(ResourceDoesNotExist, match="does not exist"):
        api.get(id_)
    with pytest.raises(PermissionDenied):
        ann.queries_legacy.restore(id_)
    api.restore(id_)
    assert api.get(id_).name == "back"
    api.delete(id_)


def test_parameters_of_other_types_are_refused(client: WorkspaceClient) -> None:
    other = {"parameters": [{"name": "d", "type": "datetime", "value": "2024-01-01"}]}
    with pytest.raises(NotImplemented, match="'datetime'"):
        client.queries_legacy.create(name="q", query="SELECT 1", options=other)

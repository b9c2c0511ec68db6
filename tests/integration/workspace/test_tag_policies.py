"""Governed tags, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.tags import TagPolicy, Value

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_a_policy_is_kept_changed_listed_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.tag_policies
    made = api.create_tag_policy(TagPolicy("cost", description="d", values=[Value("a")]))
    assert (made.tag_key, made.description, made.values) == ("cost", "d", [Value("a")])
    assert ann.tag_policies.get_tag_policy("cost") == made
    with pytest.raises(ResourceAlreadyExists, match="'cost' already exists"):
        api.create_tag_policy(TagPolicy("cost"))
    api.create_tag_policy(TagPolicy("area"))
    assert [one.tag_key for one in api.list_tag_policies(page_size=1)] == ["area", "cost"]
    new = TagPolicy("cost", description="e", values=[Value("b")])
    changed = api.update_tag_policy("cost", new, "values")
    assert (changed.description, changed.values) == ("d", [Value("b")])
    with pytest.raises(PermissionDenied):
        ann.tag_policies.delete_tag_policy("cost")
    for key in ("cost", "area"):
        api.delete_tag_policy(key)
    with pytest.raises(ResourceDoesNotExist, match="'cost' does not exist"):
        api.get_tag_policy("cost")


def test_what_is_no_tag_is_refused(client: WorkspaceClient) -> None:
    for key in ("a.b", "a/b", "a:b", " a", "", "a" * 256):
        with pytest.raises(InvalidParameterValue, match="no key of a tag"):
            client.tag_policies.create_tag_policy(TagPolicy(key))
    with pytest.raises(InvalidParameterValue, match="no value of a tag"):
        client.tag_policies.create_tag_policy(TagPolicy("k", values=[Value("a" * 1001)]))
    with pytest.raises(InvalidParameterValue, match="stands twice"):
        client.tag_policies.create_tag_policy(TagPolicy("k", values=[Value("a"), Value("a")]))

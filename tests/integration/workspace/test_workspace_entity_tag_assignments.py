"""Tags of apps and dashboards, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.apps import App
from databricks.sdk.service.dashboards import Dashboard
from databricks.sdk.service.tags import TagAssignment, TagPolicy, Value

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_tags_are_given_changed_listed_and_taken(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.workspace_entity_tag_assignments
    client.apps.create(App(name="tagged"))
    tag = TagAssignment(entity_type="apps", entity_id="tagged", tag_key="team", tag_value="a")
    assert api.create_tag_assignment(tag) == tag
    assert api.get_tag_assignment("apps", "tagged", "team") == tag
    with pytest.raises(ResourceAlreadyExists):
        api.create_tag_assignment(tag)
    api.create_tag_assignment(TagAssignment("apps", "tagged", "alone"))
    told = api.list_tag_assignments("apps", "tagged", page_size=1)
    assert [one.tag_key for one in told] == ["alone", "team"]
    new = TagAssignment("apps", "tagged", "team", tag_value="b")
    assert api.update_tag_assignment("apps", "tagged", "team", new, "tag_value") == new
    with pytest.raises(PermissionDenied):
        ann.workspace_entity_tag_assignments.get_tag_assignment("apps", "tagged", "team")
    api.delete_tag_assignment("apps", "tagged", "alone")
    with pytest.raises(ResourceDoesNotExist):
        api.get_tag_assignment("apps", "tagged", "alone")
    client.apps.delete("tagged")
    client.apps.create(App(name="tagged"))
    assert list(api.list_tag_assignments("apps", "tagged")) == []
    client.apps.delete("tagged")


def test_a_policy_holds_and_what_is_no_entity_is_refused(client: WorkspaceClient) -> None:
    api = client.workspace_entity_tag_assignments
    dashboard = client.lakeview.create(Dashboard(display_name="tagged")).dashboard_id or ""
    client.tag_policies.create_tag_policy(TagPolicy(tag_key="stage", values=[Value("dev")]))
    with pytest.raises(InvalidParameterValue, match="none of its policy: dev"):
        api.create_tag_assignment(TagAssignment("dashboards", dashboard, "stage", "prod"))
    api.create_tag_assignment(TagAssignment("dashboards", dashboard, "stage", "dev"))
    with pytest.raises(InvalidParameterValue, match="entity_type 'pets'"):
        api.create_tag_assignment(TagAssignment("pets", "rex", "stage", "dev"))
    with pytest.raises(ResourceDoesNotExist, match="App 'none'"):
        api.create_tag_assignment(TagAssignment("apps", "none", "stage", "dev"))
    client.tag_policies.delete_tag_policy("stage")

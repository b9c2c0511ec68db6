"""Templates of apps, through the official client."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import PermissionDenied, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service.apps import AppManifest, CustomTemplate

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

TEMPLATE = CustomTemplate(
    name="t",
    git_repo="https://example.org/r.git",
    path="app",
    manifest=AppManifest(version=1, name="m", resource_specs=[]),
    git_provider="gitHub",
)


def test_a_template_is_kept_replaced_listed_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.apps_settings
    made = api.create_custom_template(TEMPLATE)
    assert made == dataclasses.replace(TEMPLATE, creator="me@laketop.local")
    assert ann.apps_settings.get_custom_template("t") == made
    with pytest.raises(ResourceAlreadyExists, match="Template 't' already exists"):
        api.create_custom_template(TEMPLATE)
    api.create_custom_template(dataclasses.replace(TEMPLATE, name="u"))
    assert [one.name for one in api.list_custom_templates(page_size=1)] == ["t", "u"]
    new = dataclasses.replace(TEMPLATE, path="other", description="d")
    assert api.update_custom_template("t", new).path == "other"
    with pytest.raises(PermissionDenied):
        ann.apps_settings.delete_custom_template("t")
    for name in ("t", "u"):
        assert api.delete_custom_template(name).name == name
    with pytest.raises(ResourceDoesNotExist, match="Template 't' does not exist"):
        api.get_custom_template("t")

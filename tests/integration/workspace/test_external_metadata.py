"""External metadata, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.catalog import ExternalMetadata, SystemType

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

REPORT = ExternalMetadata(
    name="report", system_type=SystemType.POWER_BI, entity_type="report", columns=["a"]
)


def test_an_object_is_kept_changed_listed_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.external_metadata
    made = api.create_external_metadata(REPORT)
    assert (made.name, made.columns, made.owner) == ("report", ["a"], "me@laketop.local")
    assert made.id
    assert made.create_time
    assert api.get_external_metadata("report") == made
    with pytest.raises(ResourceAlreadyExists, match="'report' already exists"):
        api.create_external_metadata(REPORT)
    ann.external_metadata.create_external_metadata(
        ExternalMetadata(name="hers", system_type=SystemType.KAFKA, entity_type="topic")
    )
    assert [one.name for one in api.list_external_metadata(page_size=1)] == ["hers", "report"]
    new = ExternalMetadata(
        name="report", system_type=SystemType.TABLEAU, entity_type="x", description="d"
    )
    changed = api.update_external_metadata("report", new, "description,columns")
    assert (changed.description, changed.columns) == ("d", None)
    assert (changed.system_type, changed.entity_type) == (SystemType.POWER_BI, "report")
    with pytest.raises(InvalidParameterValue, match="'name', no such field"):
        api.update_external_metadata("report", new, "name")
    with pytest.raises(PermissionDenied):
        ann.external_metadata.delete_external_metadata("report")
    ann.external_metadata.delete_external_metadata("hers")
    api.delete_external_metadata("report")
    with pytest.raises(ResourceDoesNotExist, match="'report' does not exist"):
        api.get_external_metadata("report")

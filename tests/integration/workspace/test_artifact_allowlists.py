"""Lists of artifacts that are allowed, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied
from databricks.sdk.service.catalog import ArtifactMatcher, ArtifactType, MatchType

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

JARS = [ArtifactMatcher(artifact="/Volumes/main/libs", match_type=MatchType.PREFIX_MATCH)]


def test_a_list_is_replaced_and_read_by_admins(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.artifact_allowlists
    assert not api.get(ArtifactType.LIBRARY_JAR).artifact_matchers
    made = api.update(ArtifactType.LIBRARY_JAR, JARS)
    assert made.artifact_matchers == JARS
    assert api.get(ArtifactType.LIBRARY_JAR) == made
    assert not api.get(ArtifactType.INIT_SCRIPT).artifact_matchers
    with pytest.raises(PermissionDenied):
        ann.artifact_allowlists.update(ArtifactType.LIBRARY_JAR, [])
    path = "/api/2.1/unity-catalog/artifact-allowlists"
    with pytest.raises(InvalidParameterValue, match="LIBRARY_JAR"):
        client.api_client.do("GET", f"{path}/SPREADSHEET")
    body = {"artifact_matchers": [{"artifact": "a", "match_type": "SUFFIX"}]}
    with pytest.raises(InvalidParameterValue, match="match_type"):
        client.api_client.do("PUT", f"{path}/LIBRARY_JAR", body=body)

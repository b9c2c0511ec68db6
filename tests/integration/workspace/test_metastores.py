"""The metastore, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


def test_there_is_one_and_the_workspace_is_assigned_to_it(
    client: WorkspaceClient, workspace: Workspace, ann: WorkspaceClient
) -> None:
    current = client.metastores.current()
    assert (current.workspace_id, current.default_catalog_name) == (
        int(workspace.workspace_id),
        "main",
    )
    assert client.metastores.summary().metastore_id == current.metastore_id
    (only,) = client.metastores.list()
    assert client.metastores.get(only.metastore_id or "") == only
    assert ann.metastores.current() == current
    with pytest.raises(PermissionDenied):
        list(ann.metastores.list())
    with pytest.raises(NotFound) as caught:
        client.metastores.get("none")
    assert caught.value.error_code == "METASTORE_DOES_NOT_EXIST"

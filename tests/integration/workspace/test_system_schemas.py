"""The system schemas, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    NotFound,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_the_schemas_that_laketop_fills_are_enabled_and_stay(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    metastore = client.metastores.summary().metastore_id or ""
    told = {one.schema: one.state for one in client.system_schemas.list(metastore, max_results=2)}
    assert {"access", "billing", "lakeflow"} <= set(told)
    assert set(told.values()) == {"ENABLE_COMPLETED"}
    client.system_schemas.enable(metastore, "access")
    with pytest.raises(NotFound, match="'weather' is none of laketop's"):
        client.system_schemas.enable(metastore, "weather")
    with pytest.raises(NotImplemented, match="systemschemas"):
        client.system_schemas.disable(metastore, "access")
    with pytest.raises(NotFound, match="Metastore 'other' does not exist"):
        list(client.system_schemas.list("other"))
    with pytest.raises(PermissionDenied):
        ann.system_schemas.enable(metastore, "access")

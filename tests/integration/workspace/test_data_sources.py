"""Warehouses as older clients know them, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_each_warehouse_is_a_data_source(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    client.warehouses.create(name="mine")
    told = {one.warehouse_id: one.name for one in client.data_sources.list()}
    assert told == {one.id: one.name for one in client.warehouses.list()}
    assert len(told) == 2
    assert [one.id for one in ann.data_sources.list()] == [one.id for one in ann.warehouses.list()]

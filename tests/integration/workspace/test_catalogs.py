"""Catalogs, through the official client."""

from __future__ import annotations

import json
import uuid

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.workspace import Workspace


@pytest.fixture
def catalog(client: WorkspaceClient) -> str:
    name = f"c{uuid.uuid4().hex}"
    client.catalogs.create(name, comment="made here", properties={"team": "flights"})
    return name


def test_main_is_there_from_the_start(client: WorkspaceClient) -> None:
    assert "main" in {one.name for one in client.catalogs.list()}
    assert [s.name for s in client.schemas.list("main") if s.name == "default"]
    with pytest.raises(BadRequest, match="main"):
        client.catalogs.delete("main", force=True)


def test_a_catalog_reads_as_it_was_made(client: WorkspaceClient, catalog: str) -> None:
    found = client.catalogs.get(catalog.upper())
    assert (found.name, found.comment, found.properties) == (
        catalog,
        "made here",
        {"team": "flights"},
    )
    assert found.owner == found.created_by == "me@laketop.local"
    assert found.created_at
    assert [one.name for one in client.schemas.list(catalog)] == ["default"]


def test_it_lies_where_the_engine_looks(
    client: WorkspaceClient, workspace: Workspace, catalog: str
) -> None:
    folder = workspace.state / "catalog" / catalog
    assert json.loads((folder / "_catalog.json").read_text("utf-8"))["comment"] == "made here"
    assert (folder / "default" / "_schema.json").is_file()


def test_changes_show_and_the_rest_stays(client: WorkspaceClient, catalog: str) -> None:
    client.catalogs.update(catalog, comment="changed", owner="ann@laketop.local")
    found = client.catalogs.get(catalog)
    assert (found.comment, found.owner) == ("changed", "ann@laketop.local")
    assert found.properties == {"team": "flights"}
    client.catalogs.update(catalog, properties={})
    assert client.catalogs.get(catalog).properties is None


def test_a_new_name_takes_schemas_along(client: WorkspaceClient, catalog: str) -> None:
    client.schemas.create("s", catalog)
    client.catalogs.update(catalog, new_name=f"{catalog}x")
    assert client.schemas.get(f"{catalog}x.s").catalog_name == f"{catalog}x"
    with pytest.raises(NotFound, match=f"Catalog '{catalog}' does not exist"):
        client.catalogs.get(catalog)


def test_pages_end(client: WorkspaceClient, catalog: str) -> None:
    paged = [one.name for one in client.catalogs.list(max_results=1)]
    assert paged == sorted({one.name or "" for one in client.catalogs.list()})


def test_only_an_empty_catalog_goes_without_force(client: WorkspaceClient, catalog: str) -> None:
    client.schemas.create("s", catalog)
    with pytest.raises(BadRequest, match="not empty"):
        client.catalogs.delete(catalog)
    client.catalogs.delete(catalog, force=True)
    with pytest.raises(NotFound):
        client.catalogs.delete(catalog)


def test_what_cannot_be_is_said(client: WorkspaceClient, catalog: str) -> None:
    with pytest.raises(BadRequest, match=f"Catalog '{catalog}' already exists"):
        client.catalogs.create(catalog)
    for name in ("a b", "a.b", "_a", "x" * 256, "_files"):
        with pytest.raises(InvalidParameterValue, match="not a valid name"):
            client.catalogs.create(name)
    with pytest.raises(NotServed, match="foreign"):
        client.catalogs.create("f", connection_name="postgres")

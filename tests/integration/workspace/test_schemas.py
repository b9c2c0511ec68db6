"""Schemas, through the official client."""

from __future__ import annotations

import json
import uuid

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service.catalog import VolumeType

from laketop.workspace.workspace import Workspace


@pytest.fixture
def schema(client: WorkspaceClient) -> str:
    name = f"s{uuid.uuid4().hex}"
    client.schemas.create(name, "main", comment="ours", properties={"tier": "gold"})
    return f"main.{name}"


def test_a_schema_reads_as_it_was_made(client: WorkspaceClient, schema: str) -> None:
    found = client.schemas.get(schema)
    assert (found.full_name, found.comment, found.properties) == (schema, "ours", {"tier": "gold"})
    assert found.owner == "me@laketop.local"
    assert found.created_at
    assert client.schemas.get(schema).as_dict() == found.as_dict()
    assert schema in {one.full_name for one in client.schemas.list("main", max_results=1)}


def test_its_file_holds_what_spark_shows(
    workspace: Workspace, client: WorkspaceClient, schema: str
) -> None:
    file = workspace.state / "catalog" / schema.replace(".", "/") / "_schema.json"
    told = json.loads(file.read_text("utf-8"))
    assert told == {"owner": "me@laketop.local", "comment": "ours", "tier": "gold"}


def test_changes_show_and_a_new_name_is_followed(client: WorkspaceClient, schema: str) -> None:
    client.grants.update("schema", schema, changes=[])
    client.schemas.update(schema, comment="theirs", properties={"tier": "silver"})
    found = client.schemas.get(schema)
    assert (found.comment, found.properties) == ("theirs", {"tier": "silver"})
    client.schemas.update(schema, new_name=schema.removeprefix("main.") + "x")
    assert client.schemas.get(f"{schema}x").comment == "theirs"
    with pytest.raises(NotFound, match="does not exist"):
        client.schemas.get(schema)


def test_only_an_empty_schema_goes_without_force(client: WorkspaceClient, schema: str) -> None:
    client.volumes.create("main", schema.removeprefix("main."), "v", VolumeType.MANAGED)
    with pytest.raises(BadRequest, match=r"not empty.*1 volumes"):
        client.schemas.delete(schema)
    client.schemas.delete(schema, force=True)
    with pytest.raises(NotFound):
        client.schemas.get(schema)


def test_what_cannot_be_is_said(client: WorkspaceClient, schema: str) -> None:
    with pytest.raises(BadRequest, match=f"Schema '{schema}' already exists"):
        client.schemas.create(schema.removeprefix("main."), "main")
    with pytest.raises(NotFound, match="Catalog 'nowhere' does not exist"):
        client.schemas.create("s", "nowhere")
    with pytest.raises(BadRequest, match="2 parts"):
        client.schemas.get("main")
    with pytest.raises(BadRequest, match="own fields"):
        client.schemas.create("p", "main", properties={"owner": "x"})

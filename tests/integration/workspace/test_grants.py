"""Grants, through the official client, in the files that the engine reads."""

from __future__ import annotations

import json
import uuid

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import PermissionsChange, Privilege, VolumeType

from laketop.workspace.workspace import Workspace

ANN, BOB = "ann@laketop.local", "bob@laketop.local"


@pytest.fixture
def schema(client: WorkspaceClient) -> str:
    name = f"g{uuid.uuid4().hex}"
    client.schemas.create(name, "main")
    return f"main.{name}"


def granted(client: WorkspaceClient, schema: str) -> dict[str | None, list[Privilege] | None]:
    told = client.grants.get("schema", schema).privilege_assignments or []
    return {one.principal: one.privileges for one in told}


def change(
    client: WorkspaceClient,
    schema: str,
    principal: str,
    *add: Privilege,
    remove: Privilege | None = None,
) -> None:
    removed = [remove] if remove else None
    changes = [PermissionsChange(principal=principal, add=[*add], remove=removed)]
    client.grants.update("schema", schema, changes=changes)


def test_what_is_granted_is_told_and_what_is_revoked_is_not(
    client: WorkspaceClient, schema: str
) -> None:
    change(client, schema, ANN, Privilege.USE_SCHEMA, Privilege.SELECT)
    change(client, schema, BOB, Privilege.MODIFY)
    assert granted(client, schema) == {
        ANN: [Privilege.SELECT, Privilege.USE_SCHEMA],
        BOB: [Privilege.MODIFY],
    }
    change(client, schema, ANN, remove=Privilege.SELECT)
    change(client, schema, BOB, remove=Privilege.MODIFY)
    assert granted(client, schema) == {ANN: [Privilege.USE_SCHEMA]}
    only = client.grants.get("SCHEMA", schema, principal=BOB).privilege_assignments
    assert not only


def test_all_privileges_is_one_and_takes_the_singles_when_it_goes(
    client: WorkspaceClient, schema: str
) -> None:
    change(client, schema, ANN, Privilege.ALL_PRIVILEGES, Privilege.SELECT, Privilege.MANAGE)
    change(client, schema, ANN, remove=Privilege.ALL_PRIVILEGES)
    assert granted(client, schema) == {ANN: [Privilege.MANAGE]}


def test_effective_grants_come_from_above(client: WorkspaceClient, schema: str) -> None:
    change(client, schema, ANN, Privilege.SELECT)
    catalog = [PermissionsChange(principal=ANN, add=[Privilege.USE_CATALOG])]
    client.grants.update("catalog", "main", changes=catalog)
    told = client.grants.get_effective("schema", schema, principal=ANN).privilege_assignments or []
    found = {
        (each.privilege, each.inherited_from_name) for one in told for each in one.privileges or []
    }
    assert found >= {(Privilege.SELECT, None), (Privilege.USE_CATALOG, "main")}


def test_the_engine_finds_them_in_its_file(
    client: WorkspaceClient, workspace: Workspace, schema: str
) -> None:
    change(client, schema, ANN, Privilege.USE_SCHEMA)
    file = workspace.state / "catalog" / "_grants" / "SCHEMA.json"
    assert json.loads(file.read_text("utf-8"))[f"{schema}|{ANN}"] == "USE SCHEMA"


def test_grants_go_with_what_they_are_on(client: WorkspaceClient, schema: str) -> None:
    change(client, schema, ANN, Privilege.SELECT)
    client.schemas.delete(schema)
    client.schemas.create(schema.removeprefix("main."), "main")
    assert granted(client, schema) == {}


# MLflow, and what it loads, warn of each other.
@pytest.mark.filterwarnings("default")
def test_a_volume_that_is_renamed_or_deleted_takes_no_grants_of_a_model_along(
    client: WorkspaceClient, schema: str
) -> None:
    catalog, _, name = schema.partition(".")
    client.volumes.create(catalog, name, "both", VolumeType.MANAGED)
    client.registered_models.create(catalog_name=catalog, schema_name=name, name="both")
    for type_, privilege in (("volume", Privilege.READ_VOLUME), ("function", Privilege.EXECUTE)):
        changes = [PermissionsChange(principal=ANN, add=[privilege])]
        client.grants.update(type_, f"{schema}.both", changes=changes)

    def kept(type_: str, object_: str) -> list[list[Privilege] | None]:
        told = client.grants.get(type_, object_).privilege_assignments or []
        return [one.privileges for one in told]

    client.volumes.update(f"{schema}.both", new_name="renamed")
    assert kept("volume", f"{schema}.renamed") == [[Privilege.READ_VOLUME]]
    assert kept("function", f"{schema}.both") == [[Privilege.EXECUTE]]
    client.volumes.update(f"{schema}.renamed", new_name="both")
    client.volumes.delete(f"{schema}.both")
    assert kept("function", f"{schema}.both") == [[Privilege.EXECUTE]]


def test_what_cannot_be_granted_is_said(client: WorkspaceClient, schema: str) -> None:
    with pytest.raises(InvalidParameterValue, match="USE_CATALOG is not applicable"):
        change(client, schema, ANN, Privilege.USE_CATALOG)
    with pytest.raises(BadRequest, match="Duplicate privileges"):
        change(client, schema, ANN, Privilege.SELECT, remove=Privilege.SELECT)
    with pytest.raises(NotFound, match="does not exist"):
        client.grants.get("schema", "main.nowhere")
    with pytest.raises(NotFound, match="Table"):
        client.grants.get("table", f"{schema}.t")
    with pytest.raises(NotServed, match="connection"):
        client.grants.get("connection", "c")
    assert granted(client, schema) == {}


def test_grants_are_listed_by_pages(client: WorkspaceClient, schema: str) -> None:
    change(client, schema, ANN, Privilege.USE_SCHEMA)
    change(client, schema, BOB, Privilege.MODIFY)
    listed = list(client.grants.list("schema", schema, page_size=1))
    told = {one.principal: one.privileges for one in listed}
    assert told == {ANN: [Privilege.USE_SCHEMA], BOB: [Privilege.MODIFY]}
    only = list(client.grants.list("schema", schema, principal=BOB))
    assert [one.principal for one in only] == [BOB]
    catalog = [PermissionsChange(principal=ANN, add=[Privilege.SELECT])]
    client.grants.update("catalog", "main", changes=catalog)
    held = {
        one.principal: {(each.privilege, each.inherited_from_name) for each in one.privileges or []}
        for one in client.grants.list_effective("schema", schema, page_size=1)
    }
    assert {(Privilege.USE_SCHEMA, None), (Privilege.SELECT, "main")} <= held[ANN]
    with pytest.raises(NotFound):
        list(client.grants.list("schema", "main.nothing"))
    gone = [PermissionsChange(principal=ANN, remove=[Privilege.SELECT])]
    client.grants.update("catalog", "main", changes=gone)

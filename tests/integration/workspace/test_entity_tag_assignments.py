"""Tags of what Unity Catalog holds, through the official client, in the files that SQL reads."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.service.catalog import EntityTagAssignment, VolumeType
from databricks.sdk.service.tags import TagPolicy, Value
from tests.integration.workspace.test_tables import write_table

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace


@pytest.fixture
def schema(client: WorkspaceClient, workspace: Workspace) -> str:
    name = f"s{secrets.token_hex(4)}"
    client.schemas.create(name, "main")
    client.volumes.create("main", name, "v", VolumeType.MANAGED)
    write_table(workspace.state / "catalog" / "main" / name / "t")
    return name


def tag(type_: str, name: str, key: str, value: str | None = None) -> EntityTagAssignment:
    return EntityTagAssignment(name, key, type_, tag_value=value)


def test_tags_of_every_type_of_entity_lie_where_sql_keeps_them(
    client: WorkspaceClient, workspace: Workspace, schema: str
) -> None:
    api, place = client.entity_tag_assignments, workspace.state / "catalog" / "main"
    for type_, name, file, key in (
        ("catalogs", "main", "_tags.json", "tag:k"),
        ("schemas", f"main.{schema}", f"{schema}/_tags.json", "tag:k"),
        ("tables", f"main.{schema}.t", f"{schema}/_tags/t.json", "tag:k"),
        ("columns", f"main.{schema}.t.day", f"{schema}/_tags/t.json", "tag:day:k"),
        ("volumes", f"main.{schema}.v", f"{schema}/_tags/v.json", "tag:k"),
    ):
        made = api.create(tag(type_, name, "k", "a"))
        assert made == tag(type_, name, "k", "a")
        assert json.loads((place / file).read_text())[key] == "a"
        assert api.get(type_, name, "k") == made
        with pytest.raises(ResourceAlreadyExists, match="already exists"):
            api.create(tag(type_, name, "k", "b"))
        api.create(tag(type_, name, "j"))
        told = list(api.list(type_, name, max_results=1))
        assert [(one.tag_key, one.tag_value) for one in told] == [("j", None), ("k", "a")]
        changed = api.update(type_, name, "k", tag(type_, name, "k", "b"), "tag_value")
        assert changed.tag_value == "b"
        for one in ("k", "j"):
            api.delete(type_, name, one)
        with pytest.raises(NotFound, match="'k' of"):
            api.get(type_, name, "k")


def test_what_cannot_be_tagged_and_values_that_a_policy_has_not_are_refused(
    client: WorkspaceClient, schema: str
) -> None:
    api = client.entity_tag_assignments
    for type_, name, said in (
        ("schemas", "main.nothing", "does not exist"),
        ("tables", f"main.{schema}.nothing", "does not exist"),
        ("columns", f"main.{schema}.t.nothing", "Column 'nothing'"),
        ("volumes", f"main.{schema}.nothing", "does not exist"),
    ):
        with pytest.raises(NotFound, match=said):
            api.create(tag(type_, name, "k"))
    with pytest.raises(InvalidParameterValue, match="entity_type 'pets'"):
        api.create(tag("pets", "rex", "k"))
    with pytest.raises(InvalidParameterValue, match="no key of a tag"):
        api.create(tag("catalogs", "main", "a:b"))
    client.tag_policies.create_tag_policy(TagPolicy("pii", values=[Value("yes")]))
    with pytest.raises(InvalidParameterValue, match="none of its policy: yes"):
        api.create(tag("schemas", f"main.{schema}", "pii", "no"))
    api.create(tag("schemas", f"main.{schema}", "pii", "yes"))
    with pytest.raises(InvalidParameterValue, match="none of its policy"):
        api.update("schemas", f"main.{schema}", "pii", tag("schemas", "x", "pii", "no"), "*")
    client.tag_policies.delete_tag_policy("pii")


def test_who_may_apply_tags(client: WorkspaceClient, ann: WorkspaceClient, schema: str) -> None:
    name = f"main.{schema}.t"
    client.entity_tag_assignments.create(tag("tables", name, "k"))
    with pytest.raises(PermissionDenied):
        ann.entity_tag_assignments.create(tag("tables", name, "j"))
    with pytest.raises(PermissionDenied):
        ann.entity_tag_assignments.delete("tables", name, "k")

"""Tables, the metastore, and the rights on them, through the official client.

The files are those that the engine writes; `tests/integration/engine` asks of tables it has made.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import (
    ColumnInfo,
    ColumnTypeName,
    DataSourceFormat,
    PermissionsChange,
    Privilege,
    TableInfo,
    TableType,
    VolumeType,
)

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

FIELDS = [
    {"name": "n", "type": "long", "nullable": False, "metadata": {"comment": "a number"}},
    {
        "name": "xs",
        "type": {
            "type": "array",
            "containsNull": True,
            "elementType": {"type": "struct", "fields": [{"name": "a", "type": "decimal(5,2)"}]},
        },
        "nullable": True,
        "metadata": {},
    },
    {"name": "day", "type": "date", "nullable": True, "metadata": {}},
]


def write_table(folder: Path) -> None:
    """Write what a first commit of Delta holds, as far as a reader of metadata looks."""
    (folder / "_delta_log").mkdir(parents=True)
    metadata = {
        "id": "an-id",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": FIELDS}),
        "partitionColumns": ["day"],
        "configuration": {"delta.appendOnly": "true"},
        "createdTime": 1000,
        "description": "of a test",
    }
    commit = json.dumps({"commitInfo": {}}) + "\n" + json.dumps({"metaData": metadata}) + "\n"
    (folder / "_delta_log" / f"{0:020d}.json").write_text(commit, encoding="utf-8")
    (folder / "_delta_log" / f"{1:020d}.json").write_text('{"add": {}}\n', encoding="utf-8")


@pytest.fixture
def schema(client: WorkspaceClient, workspace: Workspace) -> str:
    name = f"s{secrets.token_hex(4)}"
    client.schemas.create(name, "main")
    folder = workspace.state / "catalog" / "main" / name
    write_table(folder / "t")
    (folder / "_views").mkdir()
    view = {
        "owner": "ann",
        "query": "SELECT 1 AS one",
        "schema": json.dumps({"type": "struct", "fields": [{"name": "one", "type": "integer"}]}),
        "properties": "{}",
    }
    (folder / "_views" / "v.json").write_text(json.dumps(view), encoding="utf-8")
    return name


def test_a_table_is_told_with_its_columns(client: WorkspaceClient, schema: str) -> None:
    told = client.tables.get(f"main.{schema}.t")
    assert (told.table_type, told.data_source_format) == (TableType.MANAGED, DataSourceFormat.DELTA)
    assert (told.table_id, told.created_at, told.comment) == ("an-id", 1000, "of a test")
    assert (told.owner, told.properties) == ("me@laketop.local", {"delta.appendOnly": "true"})
    columns = told.columns or []
    assert [(one.name, one.position, one.type_text) for one in columns] == [
        ("n", 0, "bigint"),
        ("xs", 1, "array<struct<a:decimal(5,2)>>"),
        ("day", 2, "date"),
    ]
    assert [one.type_name for one in columns] == [
        ColumnTypeName.LONG,
        ColumnTypeName.ARRAY,
        ColumnTypeName.DATE,
    ]
    assert (columns[0].nullable, columns[0].comment) == (False, "a number")
    assert [one.partition_index for one in columns] == [None, None, 0]
    assert json.loads(columns[1].type_json or "") == FIELDS[1]


def test_a_view_is_told_with_its_query(client: WorkspaceClient, schema: str) -> None:
    told = client.tables.get(f"main.{schema}.V")
    assert (told.table_type, told.view_definition) == (TableType.VIEW, "SELECT 1 AS one")
    assert (told.owner, [one.type_text for one in told.columns or []]) == ("ann", ["int"])


def test_tables_are_listed_summed_up_and_asked_for(client: WorkspaceClient, schema: str) -> None:
    listed = list(client.tables.list("main", schema, max_results=1))
    assert [one.name for one in listed] == ["t", "v"]
    bare = list(client.tables.list("main", schema, omit_columns=True))
    assert [len(one.columns or []) for one in bare] == [0, 0]
    summed = list(client.tables.list_summaries("main", schema_name_pattern=schema))
    assert [(one.full_name, one.table_type) for one in summed] == [
        (f"main.{schema}.t", TableType.MANAGED),
        (f"main.{schema}.v", TableType.VIEW),
    ]
    some = client.tables.list_summaries(
        "main", schema_name_pattern=f"{schema[:4]}%", table_name_pattern="_"
    )
    assert len(list(some)) == 2
    assert not list(client.tables.list_summaries("main", schema_name_pattern=f"{schema}_"))
    assert client.tables.exists(f"main.{schema}.t").table_exists
    assert not client.tables.exists(f"main.{schema}.none").table_exists
    assert not client.tables.exists("none.none.none").table_exists


def test_a_pattern_of_many_wildcards_is_tried_in_no_time(
    client: WorkspaceClient, schema: str
) -> None:
    long = f"{schema}_{'a' * 60}"
    client.schemas.create(long, "main")
    for pattern in (f"{schema}{'%a' * 30}z", f"{'%a' * 70}"):
        assert not list(client.tables.list_summaries("main", schema_name_pattern=pattern))
    client.schemas.delete(f"main.{long}")


def test_a_table_is_given_away_and_dropped(
    client: WorkspaceClient, schema: str, workspace: Workspace
) -> None:
    name = f"main.{schema}.t"
    client.tables.update(name, owner="ann")
    assert client.tables.get(name).owner == "ann"
    change = PermissionsChange(principal="ann", add=[Privilege.SELECT])
    client.grants.update("table", name, changes=[change])
    for table in (name, f"main.{schema}.v"):
        client.tables.delete(table)
        for call in (client.tables.get, client.tables.delete):
            with pytest.raises(NotFound) as caught:
                call(table)
            assert caught.value.error_code == "TABLE_DOES_NOT_EXIST"
    folder = workspace.state / "catalog" / "main" / schema
    assert not [file for file in folder.rglob("*") if file.stem in {"t", "v"}]
    write_table(folder / "t")
    assert not client.grants.get("table", name).privilege_assignments
    assert client.tables.get(name).owner == "me@laketop.local"


def create(client: WorkspaceClient, name: str, location: str, **changes: Any) -> TableInfo:
    catalog, schema, table = name.split(".")
    kind = changes.pop("table_type", TableType.EXTERNAL)
    format_ = changes.pop("data_source_format", DataSourceFormat.DELTA)
    return client.tables.create(table, catalog, schema, kind, format_, location, **changes)


def test_a_delta_table_that_is_there_gets_a_name(
    client: WorkspaceClient, schema: str, tmp_path: Path
) -> None:
    write_table(tmp_path / "t")
    name, location = f"main.{schema}.outside", (tmp_path / "t").as_uri()
    columns = [ColumnInfo(name=one) for one in ("n", "xs", "day")]
    made = create(client, name, location, columns=columns, properties={"a": "b"})
    assert client.tables.get(name) == made
    assert (made.table_type, made.storage_location) == (TableType.EXTERNAL, location)
    assert (made.table_id, made.owner, made.properties) == (
        "an-id",
        "me@laketop.local",
        {"a": "b", "delta.appendOnly": "true"},
    )
    assert [one.name for one in made.columns or []] == ["n", "xs", "day"]
    for taken, said in ((name, "already exists"), (f"{name}2", f"overlaps with .*{name}")):
        with pytest.raises(BadRequest, match=said):
            create(client, taken, location)
    client.tables.delete(name)
    assert (tmp_path / "t" / "_delta_log").is_dir()
    assert create(client, name, str(tmp_path / "t")).properties == {"delta.appendOnly": "true"}


def test_a_delta_table_in_a_volume_or_dbfs_gets_a_name(
    client: WorkspaceClient, schema: str, workspace: Workspace
) -> None:
    client.volumes.create("main", schema, "v", VolumeType.MANAGED)
    write_table(workspace.state / "catalog" / "main" / schema / "_files" / "v" / "a")
    write_table(workspace.state / "dbfs" / schema)
    for number, location in enumerate([f"/Volumes/main/{schema}/v/a", f"dbfs:/{schema}"]):
        name = f"main.{schema}.outside{number}"
        create(client, name, location)
        found = client.tables.get(name)
        assert (found.storage_location, len(found.columns or [])) == (location, 3)


@pytest.mark.parametrize(
    ("changes", "location", "error", "said"),
    [
        ({"table_type": TableType.MANAGED}, "/x", InvalidParameterValue, "not of MANAGED"),
        ({"data_source_format": DataSourceFormat.CSV}, "/x", InvalidParameterValue, "and CSV"),
        ({}, "/no/where", InvalidParameterValue, "no Delta table at '/no/where'"),
        ({}, "s3://b/t", NotServed, "no storage of s3"),
        ({}, "a/b", InvalidParameterValue, "not an absolute path"),
        ({}, "/a/../b", InvalidParameterValue, "not an absolute path"),
        ({}, "/", BadRequest, "overlaps with .* managed storage"),
        ({}, "{state}/catalog/main", BadRequest, "overlaps with .* managed storage"),
        ({"columns": [ColumnInfo(name="m")]}, "{table}", InvalidParameterValue, "columns 'm'"),
        ({"properties": {"location": "/"}}, "{table}", BadRequest, "'location'"),
    ],
)
def test_a_table_that_cannot_be_is_refused(  # noqa: PLR0917 - what the cases are of
    client: WorkspaceClient,
    schema: str,
    workspace: Workspace,
    tmp_path: Path,
    changes: dict[str, Any],
    location: str,
    error: type[Exception],
    said: str,
) -> None:
    write_table(tmp_path / "t")
    place = location.format(state=workspace.state, table=tmp_path / "t")
    with pytest.raises(error, match=said):
        create(client, f"main.{schema}.refused", place, **changes)
    assert not client.tables.exists(f"main.{schema}.refused").table_exists


def test_who_may_create_tables_in_a_schema_names_one(
    client: WorkspaceClient, ann: WorkspaceClient, schema: str, tmp_path: Path
) -> None:
    me, name = ann.current_user.me().user_name or "", f"main.{schema}.hers"
    write_table(tmp_path / "t")
    for kind, on, privilege in (
        ("catalog", "main", Privilege.USE_CATALOG),
        ("schema", f"main.{schema}", Privilege.USE_SCHEMA),
        ("schema", f"main.{schema}", Privilege.CREATE_TABLE),
    ):
        missing = privilege.value.replace("_", " ")
        denied(missing, lambda: create(ann, name, str(tmp_path / "t")))
        grant(client, kind, on, me, privilege)
    assert create(ann, name, str(tmp_path / "t")).owner == me


# --- rights --------------------------------------------------------------------------------------


def grant(client: WorkspaceClient, kind: str, name: str, who: str, *given: Privilege) -> None:
    change = PermissionsChange(principal=who, add=[*given])
    client.grants.update(kind, name, changes=[change])


def denied(privilege: str, *calls: Callable[[], object]) -> None:
    for call in calls:
        with pytest.raises(PermissionDenied, match=f"does not have {privilege}"):
            call()


def test_what_was_not_granted_is_hidden_and_denied(
    client: WorkspaceClient, ann: WorkspaceClient, schema: str
) -> None:
    me = ann.current_user.me().user_name or ""
    full, table = f"main.{schema}", f"main.{schema}.t"
    assert [one.name for one in ann.catalogs.list()] == []
    assert not ann.tables.exists(table).table_exists
    denied(
        "BROWSE",
        lambda: ann.catalogs.get("main"),
        lambda: ann.schemas.get(full),
        lambda: ann.tables.get(table),
    )
    denied("CREATE CATALOG", lambda: ann.catalogs.create("x"))
    denied("USE CATALOG", lambda: ann.schemas.create("x", "main"))
    denied("USE CATALOG", lambda: ann.tables.delete(table), lambda: ann.schemas.delete(full))
    grant(client, "catalog", "main", me, Privilege.USE_CATALOG)
    denied("CREATE SCHEMA", lambda: ann.schemas.create("x", "main"))
    grant(client, "schema", full, me, Privilege.USE_SCHEMA)
    grant(client, "table", table, me, Privilege.SELECT)
    assert ann.tables.get(table).name == "t"
    assert [one.name for one in ann.tables.list("main", schema)] == ["t"]
    denied(
        "MANAGE",
        lambda: ann.tables.delete(table),
        lambda: ann.schemas.delete(full),
        lambda: ann.catalogs.delete("main"),
        lambda: grant(ann, "table", table, me, Privilege.MODIFY),
    )
    grant(client, "table", table, me, Privilege.MANAGE)
    grant(ann, "table", table, me, Privilege.MODIFY)
    ann.tables.delete(table)
    denied("CREATE VOLUME", lambda: ann.volumes.create("main", schema, "v", VolumeType.MANAGED))


def test_an_owner_does_what_there_is_to_do(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    me = ann.current_user.me().user_name or ""
    grant(client, "catalog", "main", me, Privilege.USE_CATALOG, Privilege.CREATE_SCHEMA)
    name = f"s{secrets.token_hex(4)}"
    ann.schemas.create(name, "main")
    ann.volumes.create("main", name, "v", VolumeType.MANAGED)
    ann.files.create_directory(f"/Volumes/main/{name}/v/d")
    ann.schemas.delete(f"main.{name}", force=True)


def test_files_of_a_volume_want_read_and_write(
    client: WorkspaceClient, ann: WorkspaceClient, schema: str
) -> None:
    me = ann.current_user.me().user_name or ""
    client.volumes.create("main", schema, "v", VolumeType.MANAGED)
    folder = f"/Volumes/main/{schema}/v"
    client.files.create_directory(f"{folder}/d")
    denied("USE CATALOG", lambda: list(ann.files.list_directory_contents(folder)))
    grant(client, "catalog", "main", me, Privilege.USE_CATALOG)
    grant(client, "schema", f"main.{schema}", me, Privilege.USE_SCHEMA)
    denied("READ VOLUME", lambda: list(ann.files.list_directory_contents(folder)))
    grant(client, "volume", f"main.{schema}.v", me, Privilege.READ_VOLUME)
    assert [one.name for one in ann.files.list_directory_contents(folder)] == ["d"]
    denied("WRITE VOLUME", lambda: ann.files.create_directory(f"{folder}/e"))
    grant(client, "volume", f"main.{schema}.v", me, Privilege.WRITE_VOLUME)
    ann.files.create_directory(f"{folder}/e")


def test_a_model_is_its_owners_until_others_are_let_in(
    client: WorkspaceClient, ann: WorkspaceClient, schema: str
) -> None:
    me = ann.current_user.me().user_name or ""
    name = f"main.{schema}.m"
    client.registered_models.create(catalog_name="main", schema_name=schema, name="m")
    assert name not in {one.full_name for one in ann.registered_models.list()}
    denied("BROWSE", lambda: ann.registered_models.get(name))
    denied("USE CATALOG", lambda: ann.registered_models.delete(name))
    grant(client, "catalog", "main", me, Privilege.USE_CATALOG)
    grant(client, "schema", f"main.{schema}", me, Privilege.USE_SCHEMA)
    grant(client, "function", name, me, Privilege.EXECUTE)
    assert ann.registered_models.get(name).name == "m"
    denied(
        "MANAGE",
        lambda: ann.registered_models.delete(name),
        lambda: ann.registered_models.set_alias(name, "champion", 1),
        lambda: grant(ann, "function", name, me, Privilege.MANAGE),
    )
    denied(
        "CREATE MODEL",
        lambda: ann.registered_models.create(catalog_name="main", schema_name=schema, name="n"),
    )

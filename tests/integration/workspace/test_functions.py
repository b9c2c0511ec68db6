"""SQL functions of Unity Catalog, through the official client.

The files are those that the engine writes.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import (
    ColumnTypeName,
    FunctionInfoRoutineBody,
    PermissionsChange,
    Privilege,
)

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def schema(client: WorkspaceClient, workspace: Workspace) -> str:
    name = f"s{secrets.token_hex(4)}"
    client.schemas.create(name, "main")
    folder = workspace.state / "catalog" / "main" / name / "_functions"
    folder.mkdir()
    for function, text in (
        ("twice", "CREATE FUNCTION twice(n INT) RETURNS DECIMAL(5, 2) COMMENT 'two' RETURN n * 2"),
        ("rows", "CREATE FUNCTION rows(n INT) RETURNS TABLE (i INT) RETURN SELECT n AS i"),
    ):
        entry = {"catalog": "main", "namespace": name, "owner": "me@laketop.local", "sql": text}
        (folder / f"{function}.json").write_text(json.dumps(entry), encoding="utf-8")
    return f"main.{name}"


def test_a_function_is_told_with_what_its_text_says(client: WorkspaceClient, schema: str) -> None:
    told = client.functions.get(f"{schema}.twice")
    assert (told.name, told.owner, told.comment) == ("twice", "me@laketop.local", "two")
    assert (told.full_data_type, told.routine_definition) == ("DECIMAL(5, 2)", "n * 2")
    assert told.routine_body is FunctionInfoRoutineBody.SQL
    table = client.functions.get(f"{schema}.rows")
    assert (table.data_type, table.routine_definition) == (
        ColumnTypeName.TABLE_TYPE,
        "SELECT n AS i",
    )


def test_a_python_function_is_told_as_one(
    client: WorkspaceClient, workspace: Workspace, schema: str
) -> None:
    file = workspace.state / "catalog" / schema.replace(".", "/") / "_functions" / "snake.json"
    text = "CREATE FUNCTION snake(n INT) RETURNS INT COMMENT 'py' RETURN NULL"
    file.write_text(json.dumps({"sql": text, "python": " return n "}), encoding="utf-8")
    told = client.functions.get(f"{schema}.snake")
    assert told.routine_body is FunctionInfoRoutineBody.EXTERNAL
    assert (told.external_language, told.routine_definition) == ("PYTHON", " return n ")
    assert (told.comment, told.full_data_type) == ("py", "INT")


def test_functions_are_listed_given_away_and_dropped(client: WorkspaceClient, schema: str) -> None:
    catalog, _, name = schema.partition(".")
    listed = [one.name for one in client.functions.list(catalog, name, max_results=1)]
    assert listed == ["rows", "twice"]
    assert client.functions.update(f"{schema}.twice", owner="ann").owner == "ann"
    client.functions.delete(f"{schema}.twice")
    for call in (client.functions.get, client.functions.delete):
        with pytest.raises(NotFound, match=f"Function '{schema}.twice' does not exist"):
            call(f"{schema}.twice")
    with pytest.raises(NotServed, match="does not serve"):
        client.api_client.do("POST", "/api/2.1/unity-catalog/functions", body={})


def test_a_function_is_seen_by_who_may_execute_it(
    client: WorkspaceClient, ann: WorkspaceClient, schema: str
) -> None:
    me = ann.current_user.me().user_name or ""
    name = f"{schema}.twice"
    with pytest.raises(PermissionDenied):
        ann.functions.get(name)
    for kind, on, privilege in (
        ("catalog", "main", Privilege.USE_CATALOG),
        ("schema", schema, Privilege.USE_SCHEMA),
        ("function", name, Privilege.EXECUTE),
    ):
        client.grants.update(kind, on, changes=[PermissionsChange(principal=me, add=[privilege])])
    assert ann.functions.get(name).name == "twice"
    assert [one.name for one in ann.functions.list(*schema.split("."))] == ["twice"]
    with pytest.raises(PermissionDenied):
        ann.functions.delete(name)

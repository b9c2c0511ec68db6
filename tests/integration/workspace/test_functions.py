"""SQL functions of Unity Catalog, through the official client.

The files are those that the engine writes.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import (
    ColumnTypeName,
    CreateFunction,
    CreateFunctionParameterStyle,
    CreateFunctionRoutineBody,
    CreateFunctionSecurityType,
    CreateFunctionSqlDataAccess,
    FunctionInfoRoutineBody,
    FunctionParameterInfo,
    FunctionParameterInfos,
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


def of(schema: str, name: str, **changes: Any) -> CreateFunction:
    """Return what makes a function of one number, but for the changes."""
    catalog, _, inner = schema.partition(".")
    number = FunctionParameterInfo("n", "int", ColumnTypeName.INT, 0, comment="it's a number")
    usual = {
        "input_params": FunctionParameterInfos([number]),
        "data_type": ColumnTypeName.DECIMAL,
        "full_data_type": "decimal(5,2)",
        "routine_body": CreateFunctionRoutineBody.SQL,
        "routine_definition": "n * 2",
        "parameter_style": CreateFunctionParameterStyle.S,
        "is_deterministic": True,
        "sql_data_access": CreateFunctionSqlDataAccess.CONTAINS_SQL,
        "is_null_call": False,
        "security_type": CreateFunctionSecurityType.DEFINER,
        "specific_name": name,
        "comment": "of a test",
        "properties": '{"a": "b"}',
    }
    return CreateFunction(name, catalog, inner, **{**usual, **changes})


TABLE = {
    "data_type": ColumnTypeName.TABLE_TYPE,
    "full_data_type": "TABLE",
    "return_params": FunctionParameterInfos(
        [FunctionParameterInfo("i", "int", ColumnTypeName.INT, 0)]
    ),
    "routine_definition": "SELECT n AS i",
    "sql_data_access": CreateFunctionSqlDataAccess.READS_SQL_DATA,
}
PYTHON = {
    "routine_body": CreateFunctionRoutineBody.EXTERNAL,
    "external_language": "PYTHON",
    "routine_definition": "return n",
    "sql_data_access": CreateFunctionSqlDataAccess.NO_SQL,
    "is_deterministic": False,
}


@pytest.mark.parametrize("changes", [{}, TABLE, PYTHON])
def test_a_function_is_made_and_told_as_it_was_sent(
    client: WorkspaceClient, schema: str, changes: dict[str, Any]
) -> None:
    sent = of(schema, "Made", **changes)
    made = client.functions.create(sent)
    assert client.functions.get(f"{schema}.made") == made
    told, wanted = made.as_dict(), {**sent.as_dict(), "name": "made"}
    for infos in ("input_params", "return_params"):
        for one in told.get(infos, {}).get("parameters", []):
            assert json.loads(one.pop("type_json"))["name"] == one["name"]
            assert (one.pop("parameter_mode"), one.pop("parameter_type")) == ("IN", "PARAM")
    assert {name: told.get(name) for name in wanted} == wanted
    assert (made.owner, made.full_name) == ("me@laketop.local", f"{schema}.made")
    with pytest.raises(BadRequest, match="already exists"):
        client.functions.create(sent)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({**PYTHON, "external_language": "SCALA"}, NotServed, "not in 'SCALA'"),
        ({**PYTHON, "return_params": TABLE["return_params"]}, BadRequest, "returns no table"),
        ({**PYTHON, "sql_data_access": None}, BadRequest, "sql_data_access"),
        ({"return_params": TABLE["return_params"]}, BadRequest, "TABLE_TYPE"),
        ({"full_data_type": "INT RETURN 1"}, BadRequest, "not a type"),
        ({"routine_definition": " "}, BadRequest, "is empty"),
        ({"catalog_name": "none"}, NotFound, "Catalog 'none' does not exist"),
        ({"schema_name": "none"}, NotFound, "does not exist"),
    ],
)
def test_a_function_that_cannot_be_is_refused(
    client: WorkspaceClient,
    schema: str,
    changes: dict[str, Any],
    error: type[Exception],
    said: str,
) -> None:
    sent = of(schema, "f")
    for name, value in changes.items():
        setattr(sent, name, value)
    with pytest.raises(error, match=said):
        client.functions.create(sent)
    with pytest.raises(NotFound):
        client.functions.get(f"{schema}.f")


@pytest.mark.parametrize(
    ("type_", "default"), [("int) RETURNS INT", None), ("int", "1) RETURNS INT RETURN 2 --")]
)
def test_a_parameter_says_nothing_but_itself(
    client: WorkspaceClient, schema: str, type_: str, default: str | None
) -> None:
    one = FunctionParameterInfo("n", type_, ColumnTypeName.INT, 0, parameter_default=default)
    with pytest.raises(BadRequest, match=r"not a type|no expression"):
        client.functions.create(of(schema, "f", input_params=FunctionParameterInfos([one])))


def test_who_may_create_functions_in_a_schema_makes_one(
    client: WorkspaceClient, ann: WorkspaceClient, schema: str
) -> None:
    me = ann.current_user.me().user_name or ""
    for kind, on, privilege in (
        ("catalog", "main", Privilege.USE_CATALOG),
        ("schema", schema, Privilege.USE_SCHEMA),
        ("schema", schema, Privilege.CREATE_FUNCTION),
    ):
        with pytest.raises(
            PermissionDenied, match=f"does not have {privilege.value.replace('_', ' ')}"
        ):
            ann.functions.create(of(schema, "hers"))
        client.grants.update(kind, on, changes=[PermissionsChange(principal=me, add=[privilege])])
    assert ann.functions.create(of(schema, "hers")).owner == me


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

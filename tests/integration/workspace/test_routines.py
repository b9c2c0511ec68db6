"""Functions, registered models and prompts share the names of a schema, and no rights."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from tests.integration.workspace.conftest import ClientOf, MakeUser
from tests.integration.workspace.test_functions import of

from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

PROMPTS = "/api/2.0/mlflow/unity-catalog/prompts"


@pytest.fixture
def schema(client: WorkspaceClient) -> str:
    return client.schemas.create(f"s{secrets.token_hex(4)}", "main").full_name or ""


def make_function(client: WorkspaceClient, full_name: str) -> None:
    schema, _, name = full_name.rpartition(".")
    client.functions.create(of(schema, name))


def make_model(client: WorkspaceClient, full_name: str) -> None:
    catalog, schema, name = full_name.split(".")
    client.registered_models.create(catalog_name=catalog, schema_name=schema, name=name)


def make_model_by_mlflow(client: WorkspaceClient, full_name: str) -> None:
    path = "/api/2.0/mlflow/unity-catalog/registered-models/create"
    client.api_client.do("POST", path, body={"name": full_name})


def make_prompt(client: WorkspaceClient, full_name: str) -> None:
    client.api_client.do("POST", PROMPTS, body={"name": full_name})


Make = Callable[[WorkspaceClient, str], None]


@pytest.mark.parametrize("first", [make_function, make_model, make_prompt])
@pytest.mark.parametrize("second", [make_function, make_model, make_model_by_mlflow, make_prompt])
def test_a_name_is_that_of_one_of_them(
    client: WorkspaceClient, schema: str, first: Make, second: Make
) -> None:
    first(client, f"{schema}.one")
    is_other = first.__name__.split("_")[1] != second.__name__.split("_")[1]
    with pytest.raises(DatabricksError, match="share their names" if is_other else "exists"):
        second(client, f"{schema}.one")
    second(client, f"{schema}.two")


def test_a_name_is_free_again_once_what_had_it_is_gone(
    client: WorkspaceClient, schema: str
) -> None:
    name = f"{schema}.one"
    make_prompt(client, name)
    client.api_client.do("DELETE", f"{PROMPTS}/{name}")
    make_model(client, name)
    client.registered_models.delete(name)
    make_function(client, name)
    client.functions.delete(name)
    make_prompt(client, name)


def test_who_makes_functions_gets_no_rights_on_the_prompts_and_models_of_others(
    client: WorkspaceClient, make_user: MakeUser, client_of: ClientOf, schema: str
) -> None:
    make_prompt(client, f"{schema}.p")
    make_model(client, f"{schema}.m")
    who = make_user().user_name or ""
    bob = client_of(who)
    _allow(client, "catalog", "main", who, Privilege.USE_CATALOG)
    _allow(client, "schema", schema, who, Privilege.USE_SCHEMA, Privilege.CREATE_FUNCTION)
    for name in ("p", "m"):
        with pytest.raises(InvalidParameterValue, match="share their names"):
            make_function(bob, f"{schema}.{name}")
    _check_closed(bob, schema)


def test_a_function_of_a_name_that_was_taken_before_opens_nothing(
    client: WorkspaceClient,
    make_user: MakeUser,
    client_of: ClientOf,
    workspace: Workspace,
    schema: str,
) -> None:
    """An older laketop let a function have the name of a prompt or a model."""
    make_prompt(client, f"{schema}.p")
    make_model(client, f"{schema}.m")
    who = make_user().user_name or ""
    bob = client_of(who)
    _allow(client, "catalog", "main", who, Privilege.USE_CATALOG)
    _allow(client, "schema", schema, who, Privilege.USE_SCHEMA)
    folder = workspace.metastore.joinpath("catalog", *schema.split("."), "_functions")
    folder.mkdir()
    text = "CREATE FUNCTION f() RETURNS INT RETURN 1"
    entry = {"catalog": "main", "namespace": "default", "owner": who, "sql": text}
    for name in ("p", "m"):
        (folder / f"{name}.json").write_text(json.dumps(entry), encoding="utf-8")
    _check_closed(bob, schema)
    _allow(client, "function", f"{schema}.p", who, Privilege.EXECUTE, Privilege.MANAGE)
    _check_closed(bob, schema)
    with pytest.raises(PermissionDenied, match="on Routine or Model"):
        _allow(bob, "function", f"{schema}.m", who, Privilege.EXECUTE)


def _check_closed(bob: WorkspaceClient, schema: str) -> None:
    for method in ("GET", "DELETE"):
        with pytest.raises(PermissionDenied, match="on Prompt"):
            bob.api_client.do(method, f"{PROMPTS}/{schema}.p")
    with pytest.raises(PermissionDenied):
        bob.registered_models.get(f"{schema}.m")
    with pytest.raises(PermissionDenied):
        bob.registered_models.delete(f"{schema}.m")
    catalog, name = schema.split(".")
    asked = {"catalog_schema": {"catalog_name": catalog, "schema_name": name}}
    found: Any = bob.api_client.do("POST", f"{PROMPTS}/search", body=asked)
    assert found["prompts"] == []


def _allow(
    client: WorkspaceClient, type_: str, name: str, who: str, *privileges: Privilege
) -> None:
    changes = [PermissionsChange(principal=who, add=list(privileges))]
    client.grants.update(type_, name, changes=changes)

"""Registered models in Unity Catalog's own REST API, through the official client."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, ResourceAlreadyExists
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import PermissionsChange, Privilege

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def model(client: WorkspaceClient) -> str:
    name = f"m{uuid.uuid4().hex}"
    client.registered_models.create(
        catalog_name="main", schema_name="default", name=name, comment="predicts"
    )
    return f"main.default.{name}"


def test_a_model_reads_as_it_was_made(client: WorkspaceClient, model: str) -> None:
    found = client.registered_models.get(model)
    assert (found.full_name, found.comment, found.owner) == (model, "predicts", "me@laketop.local")
    listed = client.registered_models.list(
        catalog_name="main", schema_name="default", max_results=1
    )
    assert model in {one.full_name for one in listed}
    assert model in {one.full_name for one in client.registered_models.list()}


def test_comment_and_owner_change(client: WorkspaceClient, model: str) -> None:
    client.registered_models.update(model, comment="guesses", owner="ann@laketop.local")
    found = client.registered_models.get(model)
    assert (found.comment, found.owner) == ("guesses", "ann@laketop.local")


def test_grants_on_a_model_are_of_the_type_function(client: WorkspaceClient, model: str) -> None:
    changes = [PermissionsChange(principal="ann@laketop.local", add=[Privilege.EXECUTE])]
    client.grants.update("function", model, changes=changes)
    told = client.grants.get("function", model).privilege_assignments or []
    assert [one.principal for one in told] == ["ann@laketop.local"]


def test_a_deleted_model_is_gone(client: WorkspaceClient, model: str) -> None:
    client.registered_models.delete(model)
    with pytest.raises(NotFound, match="not found"):
        client.registered_models.get(model)
    with pytest.raises(NotFound):
        client.grants.get("function", model)


def test_what_cannot_be_is_said(client: WorkspaceClient, model: str) -> None:
    with pytest.raises(ResourceAlreadyExists):
        client.registered_models.create(
            catalog_name="main", schema_name="default", name=model.rpartition(".")[2]
        )
    with pytest.raises(NotFound, match=r"Schema 'main\.nowhere' does not exist"):
        client.registered_models.create(catalog_name="main", schema_name="nowhere", name="m")
    with pytest.raises(NotServed, match="rename"):
        client.registered_models.update(model, new_name="other")
    with pytest.raises(NotFound):
        client.registered_models.set_alias(model, "champion", 1)
    with pytest.raises(NotFound):
        client.registered_models.delete_alias(model, "champion")
    with pytest.raises(BadRequest, match="3 parts"):
        client.registered_models.get("main.default")


@pytest.mark.parametrize(
    "changes",
    [
        {"add_tags": [{"key": "a", "value": "1"}, {"key": "k" * 600, "value": "2"}]},
        {"add_tags": [{"key": "a", "value": "1"}], "remove": ["../up"]},
    ],
)
def test_tags_are_changed_all_or_none(
    client: WorkspaceClient, model: str, changes: dict[str, object]
) -> None:
    path = f"/api/2.1/unity-catalog/securable-tags/FUNCTION/{model}"
    with pytest.raises(BadRequest):
        client.api_client.do("PATCH", path, body={"changes": changes})
    told: Any = client.api_client.do("GET", f"/api/2.1/unity-catalog/models/{model}")
    assert "tags" not in told

"""Versions of registered models in Unity Catalog's own REST API, through the official client."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import ModelVersionInfoStatus

from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def model(client: WorkspaceClient, workspace: Workspace) -> str:
    """A model with two versions that wait for their files."""
    from laketop.workspace.registry_records import NewVersion

    name = f"m{uuid.uuid4().hex}"
    client.registered_models.create(catalog_name="main", schema_name="default", name=name)
    full_name = f"main.default.{name}"
    for number in (1, 2):
        new = NewVersion(source=f"runs:/{number}/model", run_id=str(number))
        workspace.model_registry.registry.create_version(full_name, new, owner="me@laketop.local")
    return full_name


def test_versions_read_as_they_were_made(client: WorkspaceClient, model: str) -> None:
    assert {one.version for one in client.model_versions.list(model, max_results=1)} == {1, 2}
    found = client.model_versions.get(model, 2)
    assert (found.run_id, found.status) == ("2", ModelVersionInfoStatus.PENDING_REGISTRATION)
    assert found.model_name == model.rpartition(".")[2]


def test_no_other_versions_are_read_than_the_one_that_was_asked_for(
    workspace: Workspace, model: str
) -> None:
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion

    registry = workspace.model_registry.registry
    loaded: list[object] = []

    def heard(version: object, _context: object) -> None:
        loaded.append(version)

    sqlalchemy.event.listen(SqlModelVersion, "load", heard)
    try:
        registry.owner_of(model)
        registry.model(model)
        assert loaded == []
        registry.version(model, 1)
        assert len(loaded) == 1
    finally:
        sqlalchemy.event.remove(SqlModelVersion, "load", heard)


def test_a_comment_changes_and_a_deleted_version_is_gone(
    client: WorkspaceClient, model: str
) -> None:
    client.model_versions.update(model, 1, comment="the first")
    assert client.model_versions.get(model, 1).comment == "the first"
    client.model_versions.delete(model, 1)
    assert [one.version for one in client.model_versions.list(model)] == [2]
    with pytest.raises(NotFound):
        client.model_versions.get(model, 1)


def test_what_cannot_be_is_said(client: WorkspaceClient, model: str) -> None:
    with pytest.raises(NotFound):
        client.model_versions.get_by_alias(model, "champion")
    with pytest.raises(NotFound):
        list(client.model_versions.list("main.default.nobody"))
    with pytest.raises(InvalidParameterValue):
        list(client.model_versions.list("main.default"))
    with pytest.raises(BadRequest):
        client.registered_models.set_alias(model, "champion", 1)


def test_what_a_version_depends_on_is_kept(client: WorkspaceClient, model: str) -> None:
    catalog, schema, name = model.split(".")
    kinds = {"table": "table_full_name", "function": "function_full_name"}
    sent = [{kind: {field: f"main.default.{kind}"}} for kind, field in kinds.items()]
    made: Any = client.api_client.do(
        "POST",
        "/api/2.1/unity-catalog/models/versions",
        body={
            "catalog_name": catalog,
            "schema_name": schema,
            "model_name": name,
            "source": "runs:/3/model",
            "model_version_dependencies": {"dependencies": sent},
        },
    )
    told: Any = client.api_client.do(
        "GET", f"/api/laketop/1/models/{model}/versions/{made['version']}/lineage"
    )
    assert told["dependencies"] == [
        {"type": "DATABRICKS_TABLE", "name": "main.default.table"},
        {"type": "DATABRICKS_UC_FUNCTION", "name": "main.default.function"},
    ]


@pytest.mark.parametrize(
    "field",
    [
        {"tags": [{"value": "v"}]},
        {"tags": [{"key": "k", "value": {}}]},
        {"model_version_dependencies": {"dependencies": "t"}},
        {"model_version_dependencies": {"dependencies": [{"table": {"name": "t"}}]}},
        {"source": "s3://elsewhere/model"},
    ],
)
def test_a_version_that_cannot_be_is_not_made(
    client: WorkspaceClient, model: str, field: dict[str, Any]
) -> None:
    catalog, schema, name = model.split(".")
    place = {"catalog_name": catalog, "schema_name": schema, "model_name": name}
    body = {**place, "source": "runs:/3/model", **field}
    with pytest.raises(InvalidParameterValue):
        client.api_client.do("POST", "/api/2.1/unity-catalog/models/versions", body=body)
    assert len(list(client.model_versions.list(model))) == 2


def test_tags_of_what_is_no_model_are_set_elsewhere(client: WorkspaceClient, model: str) -> None:
    changes = {"changes": {"add_tags": [{"key": "k", "value": "v"}]}}
    for path in ("securable-tags/TABLE/main.default.t", "subentity-tags/TABLE/main.default.t/1"):
        with pytest.raises(NotServed, match="entity-tag-assignments"):
            client.api_client.do("PATCH", f"/api/2.1/unity-catalog/{path}", body=changes)
    path = f"/api/2.1/unity-catalog/securable-tags/FUNCTION/{model}"
    for wrong in ({"add_tags": "k"}, {"add_tags": ["k"]}, {"remove": [1]}):
        with pytest.raises(InvalidParameterValue):
            client.api_client.do("PATCH", path, body={"changes": wrong})


@pytest.mark.parametrize(
    "changes",
    [
        {"add_tags": [{"key": "a", "value": "1"}, {"key": "approved_by", "value": "bea"}]},
        {"add_tags": [{"key": "a", "value": "1"}, {"key": "k" * 600, "value": "2"}]},
        {"add_tags": [{"key": "a", "value": "1"}], "remove": ["../up"]},
    ],
)
def test_tags_are_changed_all_or_none(
    client: WorkspaceClient, model: str, changes: dict[str, Any]
) -> None:
    path = f"/api/2.1/unity-catalog/subentity-tags/FUNCTION/{model}/1"
    with pytest.raises(BadRequest):
        client.api_client.do("PATCH", path, body={"changes": changes})
    told: Any = client.api_client.do("GET", f"/api/2.1/unity-catalog/models/{model}/versions/1")
    assert "tags" not in told


def test_a_schema_with_models_goes_by_force_alone(client: WorkspaceClient) -> None:
    schema = f"s{uuid.uuid4().hex}"
    client.schemas.create(schema, "main")
    client.registered_models.create(catalog_name="main", schema_name=schema, name="m")
    with pytest.raises(BadRequest, match="not empty"):
        client.schemas.delete(f"main.{schema}")
    client.schemas.delete(f"main.{schema}", force=True)
    with pytest.raises(NotFound):
        client.registered_models.get(f"main.{schema}.m")

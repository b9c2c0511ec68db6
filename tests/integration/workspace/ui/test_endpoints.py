"""Serving endpoints, looked at."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import OperationFailed
from databricks.sdk.service.serving import EndpointCoreConfigInput, EndpointTag, ServedEntityInput
from tests.integration.workspace.ui.conftest import HOSTILE, SIGNATURE, Look

from laketop.workspace.registry_records import NewVersion

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.services.mlflow import Parts

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns

_MODEL = "main.default.broken"


@pytest.fixture(scope="module", autouse=True)
def endpoint(client: WorkspaceClient, parts: Parts) -> None:
    registry = parts.registry
    registry.create_model(_MODEL, owner="me@laketop.local")
    source = "dbfs:/databricks/mlflow-tracking/1/run/artifacts/model"
    registry.create_version(_MODEL, NewVersion(source=source), owner="me@laketop.local")
    folder = registry.folder(_MODEL, 1)
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(SIGNATURE, encoding="utf-8")
    registry.finalize_version(_MODEL, 1)
    entity = ServedEntityInput(entity_name=_MODEL, entity_version="1", name="one")
    config = EndpointCoreConfigInput(name="delay", served_entities=[entity])
    tags = [EndpointTag("team", HOSTILE)]
    with contextlib.suppress(OperationFailed):
        client.serving_endpoints.create_and_wait("delay", config=config, tags=tags)


def test_endpoints_are_listed_with_what_they_serve(look: Look) -> None:
    page = look("/ml/endpoints")
    assert "/ml/endpoints/delay" in page.links
    assert "/explore/data/models/main/default/broken/version/1" in page.links


def test_an_endpoint_that_failed_says_why(look: Look) -> None:
    page = look("/ml/endpoints/delay")
    assert "failed" in page.text
    assert "POST /serving-endpoints/delay/invocations" in page.text
    assert HOSTILE in page.text


def test_an_endpoint_that_is_not_there_is_not_found(look: Look) -> None:
    assert look("/ml/endpoints/none", status=404).status == 404

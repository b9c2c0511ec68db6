"""Registered models, looked at; what gates said is in the tests of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.workspace.ui.conftest import HOSTILE, SIGNATURE, Look

from laketop.workspace.registry_records import NewVersion

if TYPE_CHECKING:
    from laketop.workspace.services.mlflow import Parts

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns

_NAME = "main.default.delay"


@pytest.fixture(scope="module", autouse=True)
def model(parts: Parts) -> None:
    registry = parts.registry
    registry.create_model(_NAME, owner="me@laketop.local", description=HOSTILE)
    for number in (1, 2):
        source = "dbfs:/databricks/mlflow-tracking/1/run/artifacts/model"
        registry.create_version(_NAME, NewVersion(source=source), owner="me@laketop.local")
        folder = registry.folder(_NAME, number)
        folder.mkdir(parents=True)
        (folder / "MLmodel").write_text(SIGNATURE, encoding="utf-8")
        registry.finalize_version(_NAME, number)
    registry.set_alias(_NAME, "champion", 2)
    registry.set_version_tag(_NAME, 2, "approved_by", "ann@laketop.local")
    registry.set_version_tag(_NAME, 2, "note", HOSTILE)


def test_models_are_listed_with_their_aliases(look: Look) -> None:
    page = look("/ml/models")
    assert "/explore/data/models/main/default/delay" in page.links
    assert "champion → 2" in page.text
    assert HOSTILE in page.text


def test_a_model_lists_its_versions_the_newest_first(look: Look) -> None:
    page = look("/explore/data/models/main/default/delay")
    versions = [one for one in page.links if "/version/" in one]
    assert [one[-1] for one in versions] == ["2", "1"]
    assert "ann@laketop.local" in page.text
    assert page.html.count(">champion</span>") == 1


def test_the_address_that_mlflow_prints_shows_the_version(look: Look) -> None:
    page = look("/explore/data/models/main/default/delay/version/2?o=123")
    assert "ready" in page.text
    assert HOSTILE in page.text
    assert "Evaluation" not in page.text


@pytest.mark.parametrize("path", ["main/default/none", "main/default/delay/version/9", "a.b/c/d"])
def test_what_is_not_registered_is_not_found(look: Look, path: str) -> None:
    assert look(f"/explore/data/models/{path}", status=404).status == 404

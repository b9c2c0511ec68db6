"""Catalogs, schemas, volumes and functions, looked at."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.catalog import VolumeType
from tests.integration.workspace.ui.conftest import HOSTILE, Look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace


@pytest.fixture(scope="module", autouse=True)
def lake(client: WorkspaceClient, workspace: Workspace) -> None:
    client.catalogs.create("sales", comment=HOSTILE)
    client.schemas.create("daily", "sales", comment=HOSTILE)
    client.volumes.create("sales", "daily", "raw", VolumeType.MANAGED)
    folder = workspace.state / "catalog" / "sales" / "daily"
    client.files.upload("/Volumes/sales/daily/raw/in/<b>.csv", io.BytesIO(b"1,2,3"))
    (folder / "_functions").mkdir(exist_ok=True)
    (folder / "_functions" / "double.json").write_text(
        json.dumps({"text": "CREATE FUNCTION double(x INT) RETURN 2 * x"}), encoding="utf-8"
    )
    (folder / "orders" / "_delta_log").mkdir(parents=True)
    (folder / "orders" / "_delta_log" / f"{0:020}.json").write_text("{}", encoding="utf-8")


def test_catalogs_are_listed_with_what_they_hold(look: Look) -> None:
    page = look("/explore/data")
    assert {"/explore/data/sales", "/explore/data/main"} <= set(page.links)
    assert HOSTILE in page.text


def test_a_catalog_lists_its_schemas(look: Look) -> None:
    page = look("/explore/data/sales")
    assert "/explore/data/sales/daily" in page.links
    assert HOSTILE in page.text


def test_a_schema_lists_tables_volumes_and_functions(look: Look) -> None:
    links = look("/explore/data/sales/daily").links
    assert "/explore/data/sales/daily/orders" in links
    assert "/explore/data/volumes/sales/daily/raw" in links
    assert "/explore/data/functions/sales/daily/double" in links


def test_a_volume_lists_its_files(look: Look) -> None:
    page = look("/explore/data/volumes/sales/daily/raw")
    assert "in/<b>.csv" in page.text
    assert "5 B" in page.text
    assert "/Volumes/sales/daily/raw" in page.text


def test_a_function_shows_its_text(look: Look) -> None:
    assert "RETURN 2 * x" in look("/explore/data/functions/sales/daily/double").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/explore/data/none", 404),
        ("/explore/data/sales/none", 404),
        ("/explore/data/sales/daily/none", 404),
        ("/explore/data/volumes/sales/daily/none", 404),
        ("/explore/data/functions/sales/daily/none", 404),
        ("/explore/data/..%2f..%2fetc", 400),
        ("/explore/data/volumes/sales/daily/..%2f..%2f..%2flaketop.db", 400),
        ("/explore/data/_users.json", 400),
    ],
)
def test_what_is_not_there_or_outside_is_said_so(look: Look, path: str, status: int) -> None:
    assert look(path, status=status).status == status

"""The routes of Databricks, and the page that tells which are served."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from laketop.workspace.known import is_known, known_routes, sent_fields
from laketop.workspace.service import read_fields, service_classes


@pytest.mark.parametrize(
    "pattern",
    [
        "GET /api/2.1/clusters/get",
        "POST /api/2.2/jobs/runs/repair",
        "GET /api/2.1/unity-catalog/tables/a.b.c",
        "PUT /api/2.0/fs/files/Volumes/a/b/c/d/e",
        "POST /serving-endpoints/name/invocations",
        "GET /api/2.0/postgres/projects/p/branches/b",
        "POST /api/2.0/postgres/projects/p/branches/b/roles/r/password",
        "POST /api/2.0/agents/memory-stores/m/entries:search",
        "DELETE /api/2.1/unity-catalog/skills/a.b.c",
        "GET /api/2.1/knowledge-assistants/k/examples/e",
        "GET /api/2.1/unity-catalog/volumes/a.b.c%2Fd",
    ],
)
def test_what_databricks_has_is_known(pattern: str) -> None:
    assert is_known(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "GET /api/2.0/nothing",
        "POST /api/2.1/clusters/get",
        "GET /",
        "GET /api/2.1/clusters/get/x",
        "GET /api/2.0/postgres/projects/p/nothing/b",
        "GET /api/2.1/unity-catalog/nothing/a.b.c",
    ],
)
def test_what_databricks_lacks_is_not(pattern: str) -> None:
    assert not is_known(pattern)


def test_the_routes_of_databricks_are_about_a_thousand() -> None:
    assert sum(len(patterns) for patterns in known_routes().values()) > 1000


def test_what_the_client_sends_to_a_route_is_known() -> None:
    assert sent_fields()["POST /api/2.0/secrets/put"] == {
        *("scope", "key", "string_value", "bytes_value"),
    }


def test_the_page_names_what_a_handler_does_not_read() -> None:
    catalogs = service_classes()["catalogs"]
    assert "name" in (read_fields(catalogs, "create") or set())
    assert _script()._unread(catalogs, "GET /api/2.1/unity-catalog/catalogs", "list") == [
        "include_browse",
        "include_unbound",
    ]


def _script() -> ModuleType:
    file = Path(__file__).parents[3] / "scripts" / "routes.py"
    spec = importlib.util.spec_from_file_location("routes_script", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_routes_is_fresh() -> None:
    script = _script()
    hint = "run `python scripts/routes.py`"
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), hint


def test_two_fifths_of_the_routes_of_databricks_are_served() -> None:
    told = re.search(r"([0-9]+)% in all", _script().page())
    assert told is not None
    assert int(told[1]) >= 40

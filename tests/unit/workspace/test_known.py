"""The routes of Databricks, and the page that tells which are served."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from laketop.workspace import known
from laketop.workspace.known import KnownRoutes, known_routes


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> KnownRoutes:
    return KnownRoutes(tmp_path_factory.mktemp("cache"))


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
def test_what_databricks_has_is_known(routes: KnownRoutes, pattern: str) -> None:
    assert pattern in routes


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
def test_what_databricks_lacks_is_not(routes: KnownRoutes, pattern: str) -> None:
    assert pattern not in routes


def test_the_sdk_is_read_once(routes: KnownRoutes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "GET /api/2.1/clusters/get" in routes

    def never() -> dict[str, list[str]]:
        raise AssertionError("the SDK was read again")

    monkeypatch.setattr(known, "known_routes", never)
    assert "GET /api/2.1/clusters/get" in KnownRoutes(routes._file.parent)


def test_a_damaged_cache_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "known_routes", lambda: {"x": ["GET /x"]})
    cache = KnownRoutes(tmp_path)
    cache._file.write_text("{")
    assert "GET /x" in cache


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "known_routes", lambda: {"x": ["GET /x"]})
    (tmp_path / "file").touch()
    assert "GET /x" in KnownRoutes(tmp_path / "file")


def test_the_routes_of_databricks_are_about_a_thousand() -> None:
    assert sum(len(patterns) for patterns in known_routes().values()) > 1000


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

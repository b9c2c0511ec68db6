"""Routes and mounts: what a pattern matches, what a handler is given."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from laketop.workspace.service import (
    Fields,
    Mount,
    Request,
    Route,
    Service,
    declared_routes,
    mount,
    mounts_of,
    route,
    routes_of,
    service_classes,
)

_OF_LAKETOP_ALONE = {
    "faults",
    *("laketop", "backfills", "chaos", "clock", "engine", "mlflow", "model_deployments"),
    "lineage_tracking",
    "oidc",
    "prompts",
    "sql_sessions",
    "system_tables",
    "telemetry",
    "thrift",
    "uploads",
    "webhooks",
    "workspaces",
    "page",
}
"""Services that the official client has no attribute for."""


class Things(Service):
    """An example."""

    @route("GET /api/2.2/things/{name}", also=("2.0",))
    def get(self, name: str, size: int = 5, exact: bool = False) -> dict[str, Any]:
        """Return a thing."""
        return {"name": name, "size": size, "exact": exact}

    @route("POST /api/2.2/things/put")
    def put(self, request: Request, fields: Fields, name: str) -> None:
        """Keep a thing."""

    @route("PUT /files/{path...}", streams=True)
    def upload(self, request: Request, path: str) -> None:
        """Keep a file."""

    @mount("/api/2.0/app", "/api/2.0/app/deep")
    def app(self) -> ASGIApp:
        """Serve an app."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            """Answer nothing."""

        return answer


def _things() -> dict[str, Route]:
    service = Things(None)  # type: ignore[arg-type]  # no handler of it is called
    return {f"{one.method} {one.template}": one for one in routes_of(service)}


def _request(query: dict[str, str] | None = None, body: bytes = b"", kind: str = "") -> Request:
    headers = {"content-type": kind} if kind else {}
    return Request("GET", "/", query or {}, headers, body, "me", "http://h")


def _arguments(pattern: str, path: str, request: Request) -> dict[str, Any]:
    found = _things()[pattern]
    captures = found.captures(path)
    assert captures is not None
    return found.arguments(request, captures)


def test_a_route_is_served_in_older_versions_too() -> None:
    assert {"GET /api/2.2/things/{name}", "GET /api/2.0/things/{name}"} <= set(_things())
    assert len(list(declared_routes(Things))) == 4


def test_a_method_writes_unless_it_reads() -> None:
    things = _things()
    assert not things["GET /api/2.2/things/{name}"].write
    assert things["POST /api/2.2/things/put"].write


@pytest.mark.parametrize("path", ["/api/2.2/things/", "/api/2.2/things/a/b", "/api/2x2/things/a"])
def test_a_pattern_matches_whole_paths_only(path: str) -> None:
    assert _things()["GET /api/2.2/things/{name}"].captures(path) is None


@given(st.text(min_size=1))
def test_a_captured_segment_is_decoded_exactly_once(name: str) -> None:
    path = f"/api/2.2/things/{quote(name, safe='')}"
    found = _arguments("GET /api/2.2/things/{name}", path, _request())
    assert found["name"] == name


@given(st.text(min_size=1))
def test_the_rest_of_a_path_may_come_as_one_segment_or_as_many(path: str) -> None:
    for safe in ("", "/"):
        found = _arguments("PUT /files/{path...}", f"/files/{quote(path, safe=safe)}", _request())
        assert found["path"] == path


def test_a_path_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="UTF-8"):
        _arguments("GET /api/2.2/things/{name}", "/api/2.2/things/%ff", _request())


def test_query_and_path_are_converted_and_the_path_wins() -> None:
    request = _request({"name": "other", "size": "7", "exact": "true", "nothing": "x"})
    found = _arguments("GET /api/2.2/things/{name}", "/api/2.2/things/a", request)
    assert found == {"name": "a", "size": 7, "exact": True}


def test_fields_that_no_one_names_are_counted() -> None:
    found = _things()["GET /api/2.2/things/{name}"]
    found.arguments(_request({"nothing": "x"}), {"name": "a"})
    assert found.dropped == {"nothing": 1}


def test_a_handler_may_ask_for_every_field_and_for_the_request() -> None:
    request = _request(body=b'{"name": "a", "more": 1}', kind="application/json; charset=utf-8")
    found = _arguments("POST /api/2.2/things/put", "/api/2.2/things/put", request)
    assert found == {"request": request, "fields": {"name": "a", "more": 1}, "name": "a"}


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidParameterValue, match="Missing required field: name"):
        _arguments("POST /api/2.2/things/put", "/api/2.2/things/put", _request())


def test_another_content_type_is_refused_unless_the_route_takes_bytes() -> None:
    request = _request(body=b"{}", kind="text/plain")
    with pytest.raises(BadRequest, match="text/plain"):
        _arguments("POST /api/2.2/things/put", "/api/2.2/things/put", request)
    assert _arguments("PUT /files/{path...}", "/files/a", request)["path"] == "a"


def test_a_mount_is_made_once_and_matches_whole_segments() -> None:
    found: Mount = next(mounts_of(Things(None)))  # type: ignore[arg-type]  # as above
    assert found.depth("/api/2.0/app") == len("/api/2.0/app")
    assert found.depth("/api/2.0/app/deep/x") == len("/api/2.0/app/deep")
    assert found.depth("/api/2.0/application") == 0
    assert found.app() is found.app()


def test_an_annotation_that_is_not_known_stops_the_start() -> None:
    class Wrong(Service):
        @route("GET /wrong")
        def wrong(self, field: set[int]) -> None: ...

    with pytest.raises(TypeError, match="annotated"):
        list(routes_of(Wrong(None)))  # type: ignore[arg-type]  # as above


# --- the services of the house ---

_OF_THE_METASTORE = ("/unity-catalog/", "/lineage-tracking/", "/feature-store/")


def test_every_service_is_an_attribute_of_the_official_client() -> None:
    names = {name for name in service_classes() if name not in _OF_LAKETOP_ALONE}
    assert {"secrets", "files", "workspace", "jobs", "current_user"} <= names
    for name in names:
        assert hasattr(WorkspaceClient, name), name


def test_no_two_services_serve_the_same_route() -> None:
    patterns = [p for one in service_classes().values() for p, _ in declared_routes(one)]
    assert len(patterns) == len(set(patterns))


def test_every_handler_says_what_it_does() -> None:
    for service in service_classes().values():
        for _, name in declared_routes(service):
            assert inspect.getdoc(getattr(service, name)), f"{service.__name__}.{name}"


def test_every_service_has_its_integration_test() -> None:
    # One that needs Spark stands beside the engine's own tests.
    folders = [Path(__file__).parents[2] / "integration" / room for room in ("workspace", "engine")]
    found = {f.stem.removeprefix("test_") for folder in folders for f in folder.glob("test_*.py")}
    assert set(service_classes()) - {"laketop", "engine"} <= found


def test_services_do_not_import_each_other() -> None:
    for service in service_classes().values():
        text = Path(inspect.getfile(service)).read_text(encoding="utf-8")
        imported = re.findall(r"^\s*(?:from|import) (\S+)", text, re.MULTILINE)
        assert not [name for name in imported if "workspace.services" in name]


def test_what_the_metastore_holds_is_kept_by_no_workspace_for_itself() -> None:
    # Records of a service that is not shared are those of one workspace.
    for name, service in service_classes().items():
        patterns = [pattern for pattern, _ in declared_routes(service)]
        if service.shared or not any(mark in p for p in patterns for mark in _OF_THE_METASTORE):
            continue
        text = Path(inspect.getfile(service)).read_text(encoding="utf-8")
        assert "self.table(" not in text, name
        assert "self.store." not in text, name
        assert not service.schema, name

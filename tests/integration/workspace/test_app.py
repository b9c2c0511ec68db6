"""The face of the workspace: who gets in, what is answered, what a kill leaves."""

from __future__ import annotations

import base64
import contextlib
import http.client
import inspect
import io
import itertools
import json
import logging
import os
import random
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InternalError, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.workspace import ImportFormat
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.integration.workspace.answers import MISREAD
from tests.integration.workspace.forking import forking_server
from tests.integration.workspace.wire import RECORDED

from laketop.workspace.app import Face
from laketop.workspace.bodies import MAX_BODY
from laketop.workspace.known import known_routes
from laketop.workspace.mlflow_routes import ROUTES as MLFLOW_ROUTES
from laketop.workspace.service import expression_of
from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

_KILLS = max(20, settings().max_examples // 10)


def _token(text: str) -> str:
    """Return a text as MLflow writes its tokens of pages."""
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def face(workspace: Workspace) -> Face:
    return Face(workspace)


def _send(
    host: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, bytes, dict[str, str]]:
    """Send a request exactly as spelt; `requests` would tidy the path up."""
    connection = http.client.HTTPConnection(urlsplit(host).netloc, timeout=60)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}


def _every_path(face: Face) -> list[tuple[str, str]]:
    """Return every served method and path; mounted apps by their prefixes."""
    routes = [(r.method, r.template) for r in face.routes]
    mounted = [(m, f"{p}/x") for one in face.mounts for p in one.prefixes for m in ("GET", "POST")]
    return [
        (method, template.replace("{", "").replace("}", "").replace("...", ""))
        for method, template in [*routes, *mounted]
    ]


def test_the_route_table_is_not_empty(face: Face) -> None:
    assert len(face.routes) > 40


def test_every_route_wants_a_token_that_it_knows(host: str, face: Face) -> None:
    is_open = [(r.method, r.template) for r in face.routes if r.is_open]
    assert is_open == [
        ("GET", "/oidc/.well-known/oauth-authorization-server"),
        ("GET", "/oidc/.well-known/openid-configuration"),
        ("POST", "/oidc/v1/token"),
    ]
    for method, path in _every_path(face):
        if (method, path) in is_open:
            continue
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Bearer "},
            {"Authorization": "Basic dG9rZW46"},
        ):
            status, body, answered = _send(host, method, path, headers)
            assert status == 401, (method, path, headers)
            assert method == "HEAD" or json.loads(body)["error_code"] == "UNAUTHENTICATED"
            assert "set-cookie" not in answered


def test_an_unserved_and_an_unknown_path_want_a_token_too(host: str) -> None:
    for path in ("/", "/api/2.1/clusters/get", "/api/9.9/nothing", "/oidc", "/healthy"):
        assert _send(host, "GET", path, {})[0] == 401


def test_every_route_refuses_another_origin(host: str, token: str, face: Face) -> None:
    for method, path in _every_path(face):
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"):
            headers = {"Authorization": f"Bearer {token}", "Origin": origin}
            status, _, answered = _send(host, method, path, headers)
            assert status == 403, (method, path, origin)
            assert not [name for name in answered if name.startswith("access-control-")]


def test_every_route_refuses_another_host(host: str, token: str, face: Face) -> None:
    port = urlsplit(host).port
    for method, path in [*_every_path(face), ("GET", "/health")]:
        headers = {"Authorization": f"Bearer {token}", "Host": f"evil.example:{port}"}
        assert _send(host, method, path, headers)[0] == 403, (method, path)


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("localhost:{port}", 200),
        ("127.0.0.1:{port}", 200),
        ("[::1]:{port}", 200),
        ("localhost", 403),
        ("127.0.0.1", 403),
        ("localhost.:{port}", 403),
        ("LOCALHOST:{port}", 403),
        ("127.0.0.1:1", 403),
        ("127.0.0.1.evil.example:{port}", 403),
        ("0.0.0.0:{port}", 403),
        ("", 403),
    ],
)
def test_the_host_is_this_workspace_exactly(host: str, spelling: str, status: int) -> None:
    spelt = spelling.format(port=urlsplit(host).port)
    assert _send(host, "GET", "/health", {"Host": spelt})[0] == status


def test_its_own_origin_is_let_in(host: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Origin": host}
    assert _send(host, "GET", "/api/2.0/preview/scim/v2/Me", headers)[0] == 200


def test_discovery_is_open_and_names_nothing_but_the_workspace(
    host: str, workspace: Workspace
) -> None:
    found = requests.get(f"{host}/.well-known/databricks-config", timeout=60)
    assert found.json()["workspace_id"] == workspace.workspace_id
    assert found.json()["oidc_endpoint"] == f"{host}/oidc"
    assert requests.get(f"{host}/health", timeout=60).json() == {"status": "ok"}
    assert found.headers["x-databricks-org-id"] == workspace.workspace_id
    assert requests.head(f"{host}/health", timeout=60).status_code == 200


def test_laketop_tells_of_itself(client: WorkspaceClient, workspace: Workspace) -> None:
    told = client.api_client.do("GET", "/api/laketop/1/status")
    assert isinstance(told, dict)
    assert told["workspace_id"] == workspace.workspace_id
    assert (told["user"], told["host"]) == ("me@laketop.local", client.config.host)
    assert told["active_runs"] == 0


def test_a_token_that_was_revoked_is_unknown_at_once(tmp_path: Path) -> None:
    from tests.integration.workspace.conftest import serving

    with serving(tmp_path, tmp_path / "cache") as served:
        assert served.client.current_user.me().user_name
        served.workspace.tokens.revoke_all()
        headers = {"Authorization": f"Bearer {served.token}"}
        assert _send(served.host, "GET", "/api/2.0/preview/scim/v2/Me", headers)[0] == 401


def test_a_route_of_databricks_that_is_not_served_names_itself(client: WorkspaceClient) -> None:
    with pytest.raises(NotServed, match=r"'GET /api/2\.0/clean-rooms'") as caught:
        list(client.clean_rooms.list())
    assert caught.value.error_code == "NOT_IMPLEMENTED"


def test_a_path_that_exists_nowhere_is_not_found(client: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match=r"No API found for 'GET /api/2\.0/nothing'") as caught:
        client.api_client.do("GET", "/api/2.0/nothing")
    assert caught.value.error_code == "ENDPOINT_NOT_FOUND"


def test_every_route_of_databricks_that_is_not_served_says_so(
    host: str, token: str, face: Face
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    every = {pattern for patterns in known_routes().values() for pattern in patterns}
    mounted = [
        (method, expression_of(template))
        for method, template in (pattern.split(" ") for pattern in MLFLOW_ROUTES)
    ]
    refused = 0
    for pattern in sorted(every):
        method, path = pattern.replace("/{}", "{}").replace("{}", "/x").split(" ")
        is_served = any(
            one.method == method and one.captures(path) is not None for one in face.routes
        ) or any(method == one and expression.fullmatch(path) for one, expression in mounted)
        if is_served:
            continue
        status, answer, _ = _send(host, method, path, headers, b"{}")
        assert status == 501, pattern
        if method != "HEAD":
            told = json.loads(answer)
            assert told["error_code"] == "NOT_IMPLEMENTED", pattern
            assert f"'{method} {path}'" in told["message"]
        refused += 1
    assert 0 < refused <= 0.6 * len(every)


_SCOPES = "/api/2.0/secrets/scopes/create"


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", "MALFORMED_REQUEST"),
        (b"[]", "application/json", "MALFORMED_REQUEST"),
        (b'"scope"', "application/json", "MALFORMED_REQUEST"),
        (b"\xff", "application/json", "MALFORMED_REQUEST"),
        (b'{"scope": NaN}', "application/json", "MALFORMED_REQUEST"),
        (b'{"scope": 1e999}', "application/json", "MALFORMED_REQUEST"),
        (b'{"scope": "\\ud800"}', "application/json", "MALFORMED_REQUEST"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "application/json", "MALFORMED_REQUEST"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json", "MALFORMED_REQUEST"),
        (b'{"a":' + b"9" * 5000 + b"}", "application/json", "MALFORMED_REQUEST"),
        (b'{"scope": "s"}', "text/plain", "MALFORMED_REQUEST"),
        (b"scope=s", "application/x-www-form-urlencoded", "MALFORMED_REQUEST"),
        (b'{"scope": "s"}', "", "MALFORMED_REQUEST"),
        (b"{}", "application/json", "INVALID_PARAMETER_VALUE"),
        (b'{"scope": null}', "application/json", "INVALID_PARAMETER_VALUE"),
        (b'{"scope": 5}', "application/json", "INVALID_PARAMETER_VALUE"),
        (b" " * (MAX_BODY + 1), "application/json", "MAX_REQUEST_SIZE_EXCEEDED"),
    ],
)
def test_a_body_that_cannot_be_used_is_a_bad_request(
    host: str, token: str, body: bytes, kind: str, code: str
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    status, answer, _ = _send(host, "POST", _SCOPES, headers, body)
    assert (status, json.loads(answer)["error_code"]) == (400, code)
    assert json.loads(answer)["message"]


@pytest.mark.parametrize("text", ["é", "a", "====", "a b=", "\u2028"])
def test_text_that_is_not_base64_is_a_bad_request(
    host: str, token: str, client: WorkspaceClient, text: str
) -> None:
    scope = os.urandom(4).hex()
    client.secrets.create_scope(scope)
    for path, field, more in (
        ("/api/2.0/workspace/import", "content", {"path": "/Shared/x", "format": "RAW"}),
        ("/api/2.0/secrets/put", "bytes_value", {"scope": scope, "key": "k"}),
        ("/api/2.0/dbfs/put", "contents", {"path": "/x"}),
        ("/api/2.0/global-init-scripts", "script", {"name": "x"}),
    ):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({**more, field: text}).encode()
        status, answer, _ = _send(host, "POST", path, headers, body)
        told = json.loads(answer)
        assert (status, told["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), (path, told)
        assert f"The field '{field}' is not base64." in told["message"]


@pytest.mark.parametrize("text", ["é", "a", "=", base64.b64encode(b"\xff:\xff").decode()])
def test_credentials_that_cannot_be_read_open_nothing(host: str, text: str) -> None:
    form = b"grant_type=client_credentials&scope=all-apis"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    headers = {"Authorization": f"Basic {text}", **kind}
    status, answer, _ = _send(host, "POST", "/oidc/v1/token", headers, form)
    assert (status, json.loads(answer)["error"]) == (401, "invalid_client")
    headers = {"Authorization": f"Bearer {text}"}
    assert _send(host, "GET", "/api/2.0/preview/scim/v2/Me", headers)[0] == 401


_DEEP = (b'{"a":' * 101 + b"1" + b"}" * 101, b'{"a":' * 100_000 + b"1" + b"}" * 100_000)


def test_every_route_that_reads_json_refuses_what_does_not_come_as_it(
    host: str, token: str, face: Face, workspace: Workspace
) -> None:
    workspace.mlflow.parts()  # whose import takes its time, once
    json_routes = [
        (one.method, one.template)
        for one in face.routes
        if one.method not in {"GET", "HEAD"} and not one.is_raw
    ]
    mounted = [(method, path) for method, path, _ in _mounted() if method != "GET"]
    assert len(json_routes) > 200
    assert len(mounted) > 40
    for method, template in [*json_routes, *mounted]:
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            headers = {"Authorization": f"Bearer {token}"} | (
                {"Content-Type": kind} if kind else {}
            )
            status, answer, _ = _send(host, method, _filled(template, "1"), headers, b'{"a": 1}')
            assert status == 400, (method, template, kind, answer)
            assert json.loads(answer)["error_code"] == "MALFORMED_REQUEST"


def test_every_handler_of_mlflow_refuses_what_is_nested_too_deep(
    host: str, token: str, workspace: Workspace
) -> None:
    workspace.mlflow.parts()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for method, template, _ in _mounted():
        for body in _DEEP if method != "GET" else ():
            status, answer, _ = _send(host, method, _filled(template, "1"), headers, body)
            assert (status, json.loads(answer)["error_code"]) == (400, "MALFORMED_REQUEST"), (
                template
            )


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("runs/log-model", {"run_id": "RUN", "model_json": "[" * 100_000}),
        ("runs/search", {"experiment_ids": ["1"], "filter": "(" * 5_000}),
        ("runs/search", {"experiment_ids": ["1"], "page_token": _token("[" * 100_000)}),
    ],
)
def test_texts_that_mlflow_parses_itself_break_nothing(
    host: str, token: str, client: WorkspaceClient, path: str, sent: dict[str, Any]
) -> None:
    experiment = client.experiments.create_experiment(f"/Shared/{os.urandom(4).hex()}")
    run = client.experiments.create_run(experiment_id=experiment.experiment_id).run
    assert run is not None
    assert run.info is not None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(sent).replace("RUN", run.info.run_id or "").encode()
    status, answer, _ = _send(host, "POST", f"/api/2.0/mlflow/{path}", headers, body)
    assert status == 400, answer


@pytest.mark.parametrize("one", ["", [], 5, "x", ["x"]])
def test_what_is_no_object_where_one_belongs_is_a_bad_request(
    host: str, token: str, one: Any
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for method, path in (("PATCH", "traces/0"), ("POST", "experiments/create")):
        body = json.dumps({"name": "/Shared/x", "tags": [one]}).encode()
        status, answer, _ = _send(host, method, f"/api/2.0/mlflow/{path}", headers, body)
        assert status == 400, (path, answer)
        assert "error_code" in json.loads(answer)


@pytest.mark.parametrize("path", ["runs/search", "experiments/search", "logged-models/search"])
def test_a_field_that_is_null_is_as_one_that_was_not_sent(
    host: str, token: str, client: WorkspaceClient, path: str
) -> None:
    experiment = client.experiments.create_experiment(f"/Shared/{os.urandom(4).hex()}")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    fields: dict[str, Any] = {"max_results": 7}
    if path != "experiments/search":
        fields["experiment_ids"] = [experiment.experiment_id]
    nulls = {"max_results": None, "filter": None, "order_by": None, "page_token": None}
    asked = [fields, {**fields, **nulls, "max_results": 7}, {**fields, **nulls}]
    answers = [
        _send(host, "POST", f"/api/2.0/mlflow/{path}", headers, json.dumps(sent).encode())[:2]
        for sent in asked
    ]
    assert answers[0] == answers[1]
    assert [status for status, _ in answers] == [200] * 3, answers


def test_a_token_of_a_page_that_was_never_given_out_is_a_bad_request(host: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    for group in ("registered-models", "model-versions"):
        path = f"/api/2.0/mlflow/unity-catalog/{group}/search?page_token=%C2%A2"
        status, answer, _ = _send(host, "GET", path, headers)
        assert status == 400, answer


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


_MOST_SECONDS = 5
_PER_ROUTE = max(2, settings().max_examples // 40)
"""Requests to each route: the first is the simplest there is. Source: reliability R11."""
_FEW = settings(max_examples=_PER_ROUTE, phases=[Phase.explicit, Phase.generate], database=None)


def _mounted() -> Iterator[tuple[str, str, list[str]]]:
    """Yield method, template and fields of every route of the apps that are mounted."""
    from mlflow.protos import databricks_pb2
    from mlflow.protos.service_pb2 import MlflowService

    from laketop.workspace.mlflow_app import tracking_routes
    from laketop.workspace.unity_dialect import routes

    options: Any = databricks_pb2
    service: Any = MlflowService
    fields = {
        (endpoint.method, endpoint.path): [*rpc.input_type.fields_by_name]
        for rpc in service.DESCRIPTOR.methods
        for endpoint in rpc.GetOptions().Extensions[options.rpc].endpoints
    }
    for path, _, methods in tracking_routes():
        template = path.replace("<", "{").replace(">", "}")
        names = fields.get((methods[0], template[len("/api/2.0") :]), ["run_id", "request_id"])
        yield from ((method, template, names) for method in methods)
    for method, path, rpc in routes():
        yield method, f"/api/2.0{path}", [*rpc.input_type.fields_by_name]


def test_random_requests_never_break_a_handler(
    host: str, token: str, face: Face, workspace: Workspace
) -> None:
    workspace.mlflow.parts()
    own = [(r.method, r.template, [*inspect.signature(r.handler).parameters]) for r in face.routes]
    broken = []
    for method, template, names in [*own, *_mounted()]:
        try:
            _randomly(host, token, (method, template), [*names, "nothing"])()
        except Exception as error:  # noqa: BLE001 - all that break are told: it takes its time
            broken.append((method, template, str(error)[:500]))
    assert broken == []
    MISREAD.clear()  # a job keeps settings that the SDK does not know, and tells of them again


def _randomly(
    host: str, token: str, route: tuple[str, str], names: list[str]
) -> Callable[[], None]:
    method, template = route
    fields = st.dictionaries(st.sampled_from(names), _JSON, max_size=4)

    @given(fields=fields, part=_PARTS)
    @_FEW
    def check(fields: dict[str, Any], part: str) -> None:
        path, body = _filled(template, part), b""
        if method in {"GET", "HEAD", "DELETE"}:
            query = {name: str(value) for name, value in fields.items()}
            path = requests.Request("GET", f"http://x{path}", params=query).prepare().path_url
        else:
            body = json.dumps(fields).encode()
        _check_random(host, token, (method, path), body)

    return check


_PARTS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


def _check_random(host: str, token: str, asked: tuple[str, str], body: bytes) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    before = time.monotonic()
    status, answer, _ = _send(host, *asked, headers, body)
    # 503 is the engine that this workspace was started without, and nothing else.
    is_engine = status == 503 and b"without an engine" in answer
    assert status < 500 or status == 501 or is_engine, (asked, body, answer)
    if _PER_ROUTE > 2:  # at full size; a busy machine may take its time
        assert time.monotonic() - before < _MOST_SECONDS, (asked, body)
    if status >= 400 and asked[0] != "HEAD" and answer:
        assert {"error_code", "message"} <= set(json.loads(answer)), (asked, body)


def _filled(template: str, part: str) -> str:
    head, *holes = template.split("{")
    return head + "".join(part + hole.partition("}")[2] for hole in holes)


_RECORDED = [
    exchange
    for file in sorted(RECORDED.glob("*.json"))
    for exchange in json.loads(file.read_text("utf-8"))["exchanges"]
]


def test_random_changes_of_what_clients_send_break_nothing(host: str, token: str) -> None:
    for exchange in _RECORDED:
        _changed(host, token, exchange)()
    MISREAD.clear()


def _changed(host: str, token: str, exchange: dict[str, Any]) -> Callable[[], None]:
    method, path = exchange["request"].split(" ")
    body, query = exchange.get("body") or {}, exchange.get("query") or {}
    places = [*_places(body)] or [()]

    @given(data=st.data())
    @_FEW
    def check(data: st.DataObject) -> None:
        sent = _with(body, data.draw(st.sampled_from(places)), data.draw(_JSON))
        asked = {n: data.draw(st.just(v) | st.text()) for n, v in query.items()}
        prepared = requests.Request("GET", f"http://x{path}", params=asked).prepare().path_url
        is_read = method in {"GET", "HEAD"}
        _check_random(
            host, token, (method, prepared), b"" if is_read else json.dumps(sent).encode()
        )

    return check


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    within = dict(enumerate(value)) if isinstance(value, list) else value
    for key, one in within.items() if isinstance(within, dict) else ():
        yield (*place, key)
        yield from _places(one, (*place, key))


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new if isinstance(new, dict) else value
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _with(copy[place[0]], place[1:], new) if place[1:] else new
    return copy


# --- paths ---------------------------------------------------------------------------------------

_UP = [
    "..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "%25%32%65%25%32%65", "..%00", "..;", "..;x",
    "..%0d", "%c0%ae%c0%ae", "%uff0e%uff0e", "..%09", "...", "..%20", "~", "%ef%bc%8e%ef%bc%8e",
    "..%e2%80%8b", "..%7f",
]  # fmt: skip
_SLASH = ["/", "%2f", "%2F", "%252f", "\\", "%5c", "%255c", "//", "/./", "%c0%af", ";/"]
_SPELLINGS = [(up + slash) * 4 for up in _UP for slash in _SLASH]
_PLACES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/api/2.0/fs/files/Volumes/main/default/v/{}canary", {}),
    ("PUT", "/api/2.0/fs/files/Volumes/main/default/v/{}attack?overwrite=true", {}),
    ("PUT", "/api/2.0/fs/directories/Volumes/main/default/{}attack", {}),
    ("PUT", "/api/2.0/fs/files/Models/{}attack/1/2/3/4?overwrite=true", {}),
    ("PUT", "/api/2.0/fs/files/WorkspaceInternal/Mlflow/Artifacts/{}attack?overwrite=true", {}),
    ("DELETE", "/api/2.0/fs/files/Volumes/main/default/v/{}canary", {}),
    ("POST", "/api/2.0/workspace-files/import-file/Shared%2F{}attack?overwrite=true", {}),
    ("GET", "/api/2.0/workspace/export?direct_download=true&path=/Shared/{}canary", {}),
    ("GET", "/api/2.0/workspace/list?path=/Shared/{}", {}),
    ("POST", "/api/2.0/workspace/mkdirs", {"path": "/Shared/{}attack"}),
    ("POST", "/api/2.0/workspace/delete", {"path": "/Shared/{}canary", "recursive": True}),
    (
        "POST",
        "/api/2.0/workspace/import",
        {"path": "/Shared/{}attack", "format": "RAW", "content": "YXR0YWNr", "overwrite": True},
    ),
    ("GET", "/api/2.0/dbfs/read?path=/{}canary", {}),
    ("GET", "/api/2.0/dbfs/list?path=/{}", {}),
    ("POST", "/api/2.0/dbfs/mkdirs", {"path": "/{}attack"}),
    (
        "POST",
        "/api/2.0/dbfs/put",
        {"path": "/{}attack", "contents": "YXR0YWNr", "overwrite": True},
    ),
    ("POST", "/api/2.0/dbfs/delete", {"path": "/{}canary", "recursive": True}),
    (
        "POST",
        "/api/2.0/dbfs/move",
        {"source_path": "/{}canary", "destination_path": "/{}attack"},
    ),
    ("POST", "/api/2.0/repos", {"url": "file:///x", "provider": "gitHub", "path": "/{}attack"}),
]
_STEP = len(_PLACES) // 3


def _asked(method: str, place: str, body: dict[str, Any], spelling: str) -> tuple[str, bytes]:
    """Return the path of a request, and its body: there a name is as it would be decoded."""
    if not body:
        return place.format(spelling), b"attack" if method in {"PUT", "POST"} else b""
    plain = unquote(spelling)
    told = {k: v.format(plain) if isinstance(v, str) else v for k, v in body.items()}
    return place, json.dumps(told).encode()


def test_no_spelling_of_a_path_leaves_its_root(host: str, token: str, workspace: Workspace) -> None:
    assert len(_SPELLINGS) > 200
    volumes = workspace.state / "catalog/main/default/_volumes"
    volumes.mkdir(parents=True, exist_ok=True)
    (volumes / "v.json").write_text("{}")
    (workspace.state / "catalog/main/default/_files/v").mkdir(parents=True, exist_ok=True)
    canaries = [
        folder / "canary" for folder in (workspace.state, workspace.settings.root, volumes.parent)
    ]
    for canary in canaries:
        canary.write_text("sing")
    for number, spelling in enumerate(_SPELLINGS):
        # Every spelling meets three of the places, or all of them at full size.
        chosen = [_PLACES[(number + n * _STEP) % len(_PLACES)] for n in range(3)]
        for method, place, body in _PLACES if _PER_ROUTE > 2 else chosen:
            path, sent = _asked(method, place, body, spelling)
            headers = {"Authorization": f"Bearer {token}"}
            headers |= {"Content-Type": "application/json"} if body else {}
            status, answer, _ = _send(host, method, path, headers, sent)
            assert status < 500, (method, place, spelling)
            assert b"sing" not in answer, (method, place, spelling)
            assert b"c2luZw" not in answer, (method, place, spelling)  # the same in base64
            assert b"canary" not in answer or status >= 400, (method, place, spelling)
    assert all(canary.read_text() == "sing" for canary in canaries)
    assert _strays(workspace) == []


def _strays(workspace: Workspace) -> list[Path]:
    state = workspace.state
    roots = ("catalog/main/default/_files/v", "models", "artifacts", "files", "dbfs")
    return [
        file
        for file in workspace.settings.root.parent.rglob("*attack*")
        if not any(file.is_relative_to(state / root) for root in roots)
    ]


def test_a_link_does_not_lead_out(host: str, token: str, workspace: Workspace) -> None:
    outside = workspace.settings.root / "outside"
    outside.mkdir()
    (outside / "canary").write_text("sing")
    shared = workspace.state / "files/Shared"
    (shared / "folder").symlink_to(outside)
    (shared / "file").symlink_to(outside / "canary")
    headers = {"Authorization": f"Bearer {token}"}
    for name in ("folder/canary", "file"):
        path = f"/api/2.0/workspace/export?direct_download=true&path=/Shared/{name}"
        assert _send(host, "GET", path, headers)[0] == 400
    path = "/api/2.0/workspace-files/import-file/Shared%2Ffolder%2Fattack?overwrite=true"
    assert _send(host, "POST", path, headers, b"x")[0] == 400
    assert [one.name for one in outside.iterdir()] == ["canary"]


# --- faults --------------------------------------------------------------------------------------


def test_a_fault_inside_is_logged_without_what_was_sent(
    client: WorkspaceClient,
    workspace: Workspace,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
) -> None:
    def broken(_name: str, value: bytes) -> bytes:
        raise RuntimeError(value.decode())

    client.secrets.create_scope("faulty")
    monkeypatch.setattr(workspace.secrets._vault, "seal", broken)
    with caplog.at_level(logging.ERROR), pytest.raises(Exception, match="laketop failed at POST"):
        client.secrets.put_secret("faulty", "key", string_value="hidden-value")
    assert "RuntimeError" in caplog.text
    assert "/api/2.0/secrets/put" in caplog.text
    assert "hidden-value" not in caplog.text
    assert token not in caplog.text
    assert list(client.secrets.list_secrets("faulty")) == []


def test_a_full_disk_is_said_and_harms_nothing(tmp_path: Path) -> None:
    with forking_server(tmp_path, 1) as server:
        assert server.stdout is not None
        pid, port, token = server.stdout.readline().split()
        client = WorkspaceClient(host=f"http://127.0.0.1:{port}", token=token)
        client.secrets.create_scope("kept")
        client.secrets.put_secret("kept", "before", string_value="x")
        client.workspace.upload("/Shared/kept.txt", io.BytesIO(b"before"), format=ImportFormat.RAW)
        writes: tuple[Callable[[], object], ...] = (
            lambda: client.secrets.put_secret("kept", "after", string_value="x"),
            lambda: client.secrets.delete_secret("kept", "before"),
            lambda: client.jobs.create(name="j"),
            lambda: client.workspace.upload(
                "/Shared/kept.txt", io.BytesIO(b"after"), format=ImportFormat.RAW, overwrite=True
            ),
        )
        # No file may grow: what a full disk does, without filling one; but SQLite, whose files are
        # the first, tells it as a fault of the disk.
        unlimited = resource.RLIM_INFINITY
        resource.prlimit(int(pid), resource.RLIMIT_FSIZE, (0, unlimited))
        for write in writes:
            with pytest.raises(InternalError, match=r"A database cannot be read or written: "):
                write()
        assert [one.key for one in client.secrets.list_secrets("kept")] == ["before"]
        assert client.workspace.download("/Shared/kept.txt").read() == b"before"
        resource.prlimit(
            int(pid), resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
        for write in writes:
            write()
        assert [one.key for one in client.secrets.list_secrets("kept")] == ["after"]
        assert client.workspace.download("/Shared/kept.txt").read() == b"after"
        assert [job.settings and job.settings.name for job in client.jobs.list()] == ["j"]
        os.kill(int(pid), signal.SIGKILL)


def _write_until_killed(port: int, token: str, scope: str, acknowledged: list[str]) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    address = f"http://127.0.0.1:{port}/api/2.0/secrets"
    with contextlib.suppress(requests.RequestException):
        session.post(f"{address}/scopes/create", json={"scope": scope}, timeout=60)
        for number in itertools.count():
            key = f"key-{number}"
            body = {"scope": scope, "key": key, "string_value": key}
            if session.post(f"{address}/put", json=body, timeout=60).status_code != 200:
                return
            acknowledged.append(key)


def _wait_for(count: int, written: list[str]) -> None:
    deadline = time.monotonic() + 300
    while len(written) < count:
        assert time.monotonic() < deadline, "the server acknowledges nothing"
        time.sleep(0.001)


def test_a_kill_loses_no_write_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: dict[str, list[str]] = {}
    dice = random.Random()  # noqa: S311 - moments, not secrets
    with forking_server(tmp_path, _KILLS) as server:
        assert server.stdout is not None
        for number in range(_KILLS):
            pid, port, token = server.stdout.readline().split()
            written = acknowledged.setdefault(f"scope-{number}", [])
            writer = threading.Thread(
                target=_write_until_killed,
                args=(int(port), token, f"scope-{number}", written),
            )
            writer.start()
            _wait_for(dice.randint(1, 10), written)
            time.sleep(dice.uniform(0, 0.01))
            os.kill(int(pid), signal.SIGKILL)
            writer.join()
    assert sum(len(keys) for keys in acknowledged.values()) > _KILLS
    with contextlib.closing(sqlite3.connect(tmp_path / ".laketop/laketop.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = set(database.execute("SELECT scope, key FROM secrets"))
    lost: list[Any] = [
        (scope, key)
        for scope, keys in acknowledged.items()
        for key in keys
        if (scope, key) not in kept
    ]
    assert lost == []

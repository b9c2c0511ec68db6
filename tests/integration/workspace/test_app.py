"""The face of the workspace: who gets in, what is answered, what a kill leaves."""

from __future__ import annotations

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
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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

from laketop.workspace.app import Face
from laketop.workspace.bodies import MAX_BODY
from laketop.workspace.known import known_routes
from laketop.workspace.service import Route
from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

_KILLS = 20


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
    refused = 0
    for pattern in sorted(every):
        method, path = pattern.replace("/{}", "{}").replace("{}", "/x").split(" ")
        is_served = any(
            one.method == method and one.captures(path) is not None for one in face.routes
        ) or any(one.depth(path) for one in face.mounts)
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


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


_MOST_SECONDS = 5
_PER_ROUTE = max(2, settings().max_examples // 40)
"""Requests to each route: the first is the simplest there is. Source: reliability R11."""


def test_random_requests_never_break_a_handler(
    host: str, token: str, face: Face, workspace: Workspace
) -> None:
    workspace.mlflow.parts()  # whose import takes its time, once
    for route in face.routes:
        _randomly(host, token, route)()
    MISREAD.clear()  # a job keeps settings that the SDK does not know, and tells of them again


def _randomly(host: str, token: str, route: Route) -> Callable[[], None]:
    names = [*inspect.signature(route.handler).parameters, "nothing"]
    fields = st.dictionaries(st.sampled_from(names), _JSON, max_size=4)

    @given(fields=fields, part=_PARTS)
    @settings(max_examples=_PER_ROUTE, phases=[Phase.explicit, Phase.generate], database=None)
    def check(fields: dict[str, Any], part: str) -> None:
        _check_random(host, token, route, _filled(route.template, part), fields)

    return check


_PARTS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


def _check_random(host: str, token: str, route: Route, path: str, fields: dict[str, Any]) -> None:
    body = b""
    if route.method in {"GET", "HEAD", "DELETE"}:
        query = {name: str(value) for name, value in fields.items()}
        path = requests.Request("GET", f"http://x{path}", params=query).prepare().path_url
    else:
        body = json.dumps(fields).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    before = time.monotonic()
    status, answer, _ = _send(host, route.method, path, headers, body)
    asked = (route.method, path, fields)
    # 503 is an engine that this workspace was started without.
    assert status < 500 or status in {501, 503}, (asked, answer)
    if _PER_ROUTE > 2:  # at full size; a busy machine may take its time
        assert time.monotonic() - before < _MOST_SECONDS, asked
    if status >= 400 and route.method != "HEAD" and answer:
        assert {"error_code", "message"} <= set(json.loads(answer)), asked


def _filled(template: str, part: str) -> str:
    head, *holes = template.split("{")
    return head + "".join(part + hole.partition("}")[2] for hole in holes)


# --- paths ---------------------------------------------------------------------------------------

_UP = [
    "..", "%2e%2e", "%2E%2e", ".%2e", "%252e%252e", "%25%32%65%25%32%65", "..%00", "..;", "..;x",
    "..%0d", "%c0%ae%c0%ae", "%uff0e%uff0e", "..%09", "...", "..%20", "~", "%ef%bc%8e%ef%bc%8e",
]  # fmt: skip
_SLASH = ["/", "%2f", "%2F", "%252f", "\\", "%5c", "%255c", "//", "/./", "%c0%af", ";/"]
_SPELLINGS = [(up + slash) * 4 for up in _UP for slash in _SLASH]
_PLACES = [
    ("GET", "/api/2.0/fs/files/Volumes/main/default/v/{}canary"),
    ("PUT", "/api/2.0/fs/files/Volumes/main/default/v/{}attack?overwrite=true"),
    ("PUT", "/api/2.0/fs/directories/Volumes/main/default/{}attack"),
    ("PUT", "/api/2.0/fs/files/Models/{}attack/1/2/3/4?overwrite=true"),
    ("PUT", "/api/2.0/fs/files/WorkspaceInternal/Mlflow/Artifacts/{}attack?overwrite=true"),
    ("POST", "/api/2.0/workspace-files/import-file/Shared%2F{}attack?overwrite=true"),
    ("GET", "/api/2.0/workspace/export?direct_download=true&path=/Shared/{}canary"),
]


def test_no_spelling_of_a_path_leaves_its_root(host: str, token: str, workspace: Workspace) -> None:
    volumes = workspace.state / "catalog/main/default/_volumes"
    volumes.mkdir(parents=True, exist_ok=True)
    (volumes / "v.json").write_text("{}")
    (workspace.state / "catalog/main/default/_files/v").mkdir(parents=True, exist_ok=True)
    for folder in (workspace.state, workspace.settings.root, volumes.parent):
        (folder / "canary").write_text("sing")
    headers = {"Authorization": f"Bearer {token}"}
    for number, spelling in enumerate(_SPELLINGS):
        # Every spelling meets two of the places, every place fifty of the spellings.
        for method, place in (_PLACES[number % 7], _PLACES[(number + 3) % 7]):
            status, body, _ = _send(host, method, place.format(spelling), headers, b"attack")
            assert status < 500, (method, place, spelling)
            assert body != b"sing", (method, place, spelling)
    assert _strays(workspace) == []


def _strays(workspace: Workspace) -> list[Path]:
    state = workspace.state
    roots = ("catalog/main/default/_files/v", "models", "artifacts", "files")
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

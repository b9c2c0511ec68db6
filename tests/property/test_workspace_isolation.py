"""Whatever is done in two workspaces of one metastore, neither shows what is the other's own."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.settings import Settings
from laketop.workspace.app import create_app
from laketop.workspace.workspace import Workspace

WORKSPACES = ("dev", "prod")
SCOPE = "s"
TASK = {"task_key": "t", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}

Own = dict[str, dict[str, str]]
"""What a workspace shows of its own: by kind, names and contents."""


@dataclasses.dataclass(frozen=True)
class Project:
    """Two workspaces, asked as a client asks them, without a socket."""

    app: Any
    tokens: dict[str, str]

    def ask(self, workspace: str, method: str, route: str, /, **fields: Any) -> Any:
        sent: list[Any] = []
        body = json.dumps(fields).encode() if method != "GET" else b""
        query = "&".join(f"{name}={text}" for name, text in fields.items())
        bearer = f"Bearer {self.tokens[workspace]}"

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": route,
            "raw_path": route.encode(),
            "root_path": "",
            "query_string": query.encode() if method == "GET" else b"",
            "headers": [
                (b"host", b"localhost:80"),
                (b"authorization", bearer.encode()),
                (b"content-type", b"application/json"),
            ],
            "server": ("127.0.0.1", 80),
        }
        asyncio.run(self.app(scope, receive, send))
        told = json.loads(b"".join(one.get("body", b"") for one in sent[1:]) or b"{}")
        return {**told, "status": sent[0]["status"]}

    def own(self, workspace: str) -> Own:
        """Return everything that a workspace shows of its own."""
        keys = self.ask(workspace, "GET", "/api/2.0/secrets/list", scope=SCOPE).get("secrets", [])
        found = [one["key"] for one in keys]
        files = self.ask(workspace, "GET", "/api/2.0/workspace/list", path="/Shared")
        paths = [one["path"] for one in files.get("objects", [])]
        jobs = self.ask(workspace, "GET", "/api/2.2/jobs/list").get("jobs", [])
        return {
            "secrets": {key: self._secret(workspace, key) for key in found},
            "files": {path: self._file(workspace, path) for path in paths},
            "jobs": {one["settings"]["name"]: str(one["job_id"]) for one in jobs},
        }

    def shared(self, workspace: str) -> set[str]:
        """Return the schemas that a workspace shows."""
        told = self.ask(workspace, "GET", "/api/2.1/unity-catalog/schemas", catalog_name="main")
        return {one["name"] for one in told["schemas"]} - {"default", "information_schema"}

    def _secret(self, workspace: str, key: str) -> str:
        told = self.ask(workspace, "GET", "/api/2.0/secrets/get", scope=SCOPE, key=key)
        return base64.b64decode(told["value"]).decode()

    def _file(self, workspace: str, path: str) -> str:
        told = self.ask(workspace, "GET", "/api/2.0/workspace/export", path=path)
        return base64.b64decode(told["content"]).decode()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("project")
    workspace = Workspace(Settings(root=root, cache=root))
    first = Project(create_app(workspace), {"dev": workspace.tokens.issue(workspace.user)})
    first.ask("dev", "POST", "/api/laketop/1/workspaces", name="prod")
    prod = workspace.workspaces.all()["prod"]
    yield Project(first.app, {**first.tokens, "prod": prod.tokens.issue(workspace.user)})
    workspace.shutdown()


NAMES = st.sampled_from("abc")
WHERE = st.sampled_from(WORKSPACES)
KINDS = st.sampled_from(["secrets", "files", "jobs", "schemas"])
ACTIONS = st.tuples(WHERE, KINDS, NAMES, st.booleans(), st.sampled_from(["1", "two"]))


@settings(max_examples=settings().max_examples // 4)
@given(st.lists(ACTIONS, max_size=12))
def test_what_is_done_in_one_workspace_never_shows_in_the_other(
    project: Project, actions: list[tuple[str, str, str, bool, str]]
) -> None:
    own: dict[str, Own] = {one: {"secrets": {}, "files": {}, "jobs": {}} for one in WORKSPACES}
    schemas: set[str] = set()
    _clean(project)
    for where, kind, name, is_there, content in actions:
        if kind == "schemas":
            _shared(project, where, name, is_there)
            (schemas.add if is_there else schemas.discard)(name)
        else:
            kept = Kept(project, where, own[where][kind])
            getattr(kept, kind)(name, content if is_there else None)
    for one in WORKSPACES:
        assert project.own(one) == own[one]
        assert project.shared(one) == schemas
    for one, other in (WORKSPACES, WORKSPACES[::-1]):
        for job_id in own[other]["jobs"].values():
            assert project.ask(one, "GET", "/api/2.2/jobs/get", job_id=job_id)["status"] == 400


@dataclasses.dataclass(frozen=True)
class Kept:
    """One kind of thing in one workspace, with what is known to be there."""

    project: Project
    where: str
    known: dict[str, str]

    def secrets(self, name: str, content: str | None) -> None:
        if content is None:
            self._ask("/api/2.0/secrets/delete", scope=SCOPE, key=name)
        else:
            self._ask("/api/2.0/secrets/put", scope=SCOPE, key=name, string_value=content)
        self._know(name, content)

    def files(self, name: str, content: str | None) -> None:
        path = f"/Shared/{name}.txt"
        if content is None:
            self._ask("/api/2.0/workspace/delete", path=path)
        else:
            sent = base64.b64encode(content.encode()).decode()
            told = {"path": path, "content": sent, "format": "AUTO", "overwrite": True}
            self._ask("/api/2.0/workspace/import", **told)
        self._know(path, content)

    def jobs(self, name: str, content: str | None) -> None:
        if name in self.known:
            self._ask("/api/2.2/jobs/delete", job_id=int(self.known.pop(name)))
        if content is not None:
            made = self._ask("/api/2.2/jobs/create", name=name, tasks=[TASK])
            self.known[name] = str(made["job_id"])

    def _ask(self, route: str, **fields: Any) -> Any:
        return self.project.ask(self.where, "POST", route, **fields)

    def _know(self, key: str, content: str | None) -> None:
        self.known.pop(key, None)
        if content is not None:
            self.known[key] = content


def _shared(project: Project, where: str, name: str, is_there: bool) -> None:
    base = "/api/2.1/unity-catalog/schemas"
    if is_there:
        project.ask(where, "POST", base, catalog_name="main", name=name)
    else:
        project.ask(where, "DELETE", f"{base}/main.{name}")


def _clean(project: Project) -> None:
    for one in WORKSPACES:
        project.ask(one, "POST", "/api/2.0/secrets/scopes/delete", scope=SCOPE)
        project.ask(one, "POST", "/api/2.0/secrets/scopes/create", scope=SCOPE)
        for path in project.own(one)["files"]:
            project.ask(one, "POST", "/api/2.0/workspace/delete", path=path)
        for job_id in project.own(one)["jobs"].values():
            project.ask(one, "POST", "/api/2.2/jobs/delete", job_id=int(job_id))
    for name in project.shared("dev"):
        project.ask("dev", "DELETE", f"/api/2.1/unity-catalog/schemas/main.{name}")

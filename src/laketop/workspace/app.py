"""The face of the workspace: one flat list of steps that every request goes through."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import NotFound, PermissionDenied, Unauthenticated
from databricks.sdk.errors.platform import NotImplemented as NotServed
from starlette.applications import Starlette
from starlette.routing import Mount as StarletteMount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from laketop.workspace import audit, bodies, gate, wire
from laketop.workspace.answers import Watched, encoded, failed, send_reply
from laketop.workspace.faults import kill_caller
from laketop.workspace.known import is_known
from laketop.workspace.service import (
    Fields,
    Mount,
    Reply,
    Request,
    Route,
    mounts_of,
    routes_of,
)
from laketop.workspace.ui.face import PageFace, cookie_of
from laketop.workspace.workspace import Workspace

_LONGEST_NOTED = 64 * 1024
_FAULTS = "/api/laketop/1/faults"
_NEVER_WHOLE = [(b"content-length", b"1")]
_NAMING = ("x-databricks-org-id", "x-databricks-workspace-id")
"""Headers by which clients say which workspace they mean."""


def create_app(workspace: Workspace) -> Starlette:
    """Return the ASGI app of a workspace; its end shuts the workspace down."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(workspace.shutdown)

    faces = Faces(workspace)
    app = Starlette(routes=[StarletteMount("/", app=faces)], lifespan=lifespan)
    app.state.face = faces.of(workspace)
    return app


class Faces:
    """Hands each request to the face of the workspace that its token, link or cookie names.

    A request that names none goes to the first workspace, which answers what is open, and turns
    away the rest.
    """

    def __init__(self, first: Workspace) -> None:
        self._first = first
        self._faces: dict[str, Face] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._meant(scope) if scope["type"] == "http" else self._first
        await self.of(found)(scope, receive, send)

    def of(self, workspace: Workspace) -> Face:
        """Return the face of a workspace, made at its first request."""
        known = self._faces.get(workspace.name)
        if known is None or known.workspace is not workspace:
            known = self._faces[workspace.name] = Face(workspace)
        return known

    def _meant(self, scope: Scope) -> Workspace:
        every: Mapping[str, Workspace] = self._first.workspaces.all()
        if len(every) == 1:
            return self._first
        headers = gate.headers_of(scope)
        token = headers.get("authorization", "").partition(" ")[2]
        token = token or self._first.page.sessions.bearer(cookie_of(self._first, headers))
        name = self._first.tokens.workspace_of(token) if token else self._linked(scope, every)
        return every.get(name or "", self._first)

    @staticmethod
    def _linked(scope: Scope, every: Mapping[str, Workspace]) -> str | None:
        """Return the name of the workspace that signed the link that a request came by."""
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        query = gate.query_of(scope)
        for name, one in every.items():
            if one.links.user_of(method, path, query, now_ms=one.now_ms()) is not None:
                return name
        return None


class Face:
    """Answers every request: host, origin, token, decode, begin, handle, encode, commit, answer."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        services = workspace.services.values()
        self.routes: list[Route] = [r for service in services for r in routes_of(service)]
        self.mounts: list[Mount] = [m for service in services for m in mounts_of(service)]
        self.page = PageFace(workspace, workspace.page.sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; a websocket is turned away."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = Watched(self._signed(send), is_head=scope["method"] == "HEAD")
        try:
            await self._answer(scope, receive, answer)
        except Exception as error:
            if answer.has_begun:
                raise
            folder = self.workspace.state
            await send_reply(answer, failed(scope["method"], error, folder=folder))

    async def _answer(self, scope: Scope, receive: Receive, send: Watched) -> None:
        headers = gate.headers_of(scope)
        host = gate.checked_host(scope, headers)
        gate.check_origin(scope, headers)
        self._check_address(scope)
        raw_path = scope["raw_path"].decode("latin-1")
        if scope["method"] in {"GET", "HEAD"} and raw_path in _OPEN:
            await send_reply(send, encoded(_OPEN[raw_path](self.workspace, host)))
            return
        if self.page.serves(raw_path):
            await self.page.answer(scope, receive, send)
            return
        query = gate.query_of(scope)
        user = ""
        if not self._is_open(scope["method"], raw_path):
            user = self._user(headers, scope["method"], raw_path, query)
        self.workspace.act_for(user)
        self._check_meant(headers)
        asked = scope["query_string"].decode("latin-1")
        at = gate.address_of(scope)
        request = Request(scope["method"], raw_path, query, headers, b"", user, host, asked, at)
        if self.workspace.first.faults is not None:
            await self._befallen(request, scope, receive, send)
        else:
            await self._handled(request, scope, receive, send)

    async def _befallen(
        self, request: Request, scope: Scope, receive: Receive, send: Watched
    ) -> None:
        """Answer a request, unless a rule of faults says otherwise."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        rules = None if request.path == _FAULTS else self.workspace.first.faults
        fault = rules and rules.met(token, request.method, request.path)
        if not fault:
            await self._handled(request, scope, receive, send)
            return
        if not fault.after:
            await anyio.sleep(fault.delay_seconds)
        if fault.after or not fault.is_answer:
            unheard = Watched(_unheard if fault.is_answer else send, is_head=send.is_head)
            await self._handled(request, scope, receive, unheard)
        if fault.after:
            await anyio.sleep(fault.delay_seconds)
        if fault.kill:
            await anyio.to_thread.run_sync(kill_caller, scope["client"][1])
        if fault.status is not None:
            body = json.dumps(fault.told()).encode()
            await send_reply(send, Reply(body, fault.status, {"content-type": "application/json"}))
        elif fault.is_answer:  # begun and not ended: the server closes the connection
            await send({"type": "http.response.start", "status": 200, "headers": _NEVER_WHOLE})

    async def _handled(
        self, request: Request, scope: Scope, receive: Receive, send: Watched
    ) -> None:
        found = self._found(request)
        if found is None:
            raise await anyio.to_thread.run_sync(self._nothing_at, request)
        if isinstance(found, Mount):
            app = await anyio.to_thread.run_sync(found.app)
            whose = {"laketop.user": request.user, "laketop.host": request.host}
            scope = {**scope, **whose, "root_path": ""}
            await self._mounted(app, scope, receive, send)
            return
        await self._serve(found, request, receive, send)

    async def _mounted(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an app answer, and write the row of the audit log for what that changed."""
        method, path = scope["method"], scope["path"]
        action = audit.mlflow_action(method, path)
        if action is None:
            await app(scope, bodies.limited(receive), send)
            return
        sent = bytearray()

        async def heard() -> Message:
            message = await receive()
            sent.extend(message.get("body", b"")[: _LONGEST_NOTED - len(sent)])
            return message

        async def told(message: Message) -> None:
            if (
                message["type"] == "http.response.start"
            ):  # nobody is answered before the row is kept
                await anyio.to_thread.run_sync(note, bytes(sent), message["status"])
            await send(message)

        def note(body: bytes, code: int) -> None:
            params: dict[str, Any] = {}
            with contextlib.suppress(DatabricksError):  # a body that is no JSON is not told of
                params = wire.fields_of(body)
            agent = gate.headers_of(scope).get("user-agent", "")
            user = scope["laketop.user"]
            service = "model_registry" if "/unity-catalog/" in path else "mlflow"
            self.workspace.audit.note(
                service, action, user=user, agent=agent, params=params, status=code
            )

        await app(scope, bodies.limited(heard), told)

    def _user(
        self, headers: Mapping[str, str], method: str, path: str, query: Mapping[str, str]
    ) -> str:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            user = self.workspace.tokens.user_of(token) if kind.lower() == "bearer" else None
        else:
            now_ms = self.workspace.now_ms()
            user = self.workspace.links.user_of(method, path, query, now_ms=now_ms)
            if user is None and self.workspace.links.is_one(query):
                raise PermissionDenied("The signature of the link does not let this request in.")
        if user is None:
            raise Unauthenticated("Credential was not sent or was of an unsupported type.")
        return user

    def _check_meant(self, headers: Mapping[str, str]) -> None:
        """Refuse what a client means for another of the workspaces here than its token opens."""
        meant = {headers.get(name) for name in _NAMING} - {None, self.workspace.workspace_id}
        for name, other in self.workspace.workspaces.all().items() if meant else ():
            if other.workspace_id in meant:
                raise PermissionDenied(
                    f"The token is of workspace '{self.workspace.name}', and the request was sent"
                    f" to workspace '{name}'."
                )

    def _check_address(self, scope: Scope) -> None:
        address = gate.address_of(scope)
        if not self.workspace.ip_access_lists.admits(address):
            raise PermissionDenied(
                f"Source IP address: {address} is blocked by Databricks IP ACL for workspace:"
                f" {self.workspace.workspace_id}"
            )

    def _is_open(self, method: str, path: str) -> bool:
        return any(
            route.is_open and route.method == method and route.captures(path) is not None
            for route in self.routes
        )

    def _found(self, request: Request) -> tuple[Route, Mapping[str, str]] | Mount | None:
        methods = [request.method] if request.method != "HEAD" else ["HEAD", "GET"]
        for method in methods:
            for route in self.routes:
                if route.method == method:
                    captures = route.captures(request.path)
                    if captures is not None:
                        return route, captures
        mount = max(self.mounts, key=lambda m: m.depth(request.path), default=None)
        return mount if mount is not None and mount.depth(request.path) else None

    def _nothing_at(self, request: Request) -> DatabricksError:
        name = f"{request.method} {request.path}"
        if is_known(name):
            return NotServed(f"laketop does not serve '{name}'.")
        return NotFound(f"No API found for '{name}'", error_code="ENDPOINT_NOT_FOUND")

    async def _serve(
        self,
        found: tuple[Route, Mapping[str, str]],
        request: Request,
        receive: Receive,
        send: Watched,
    ) -> None:
        route, captures = found
        async with self._received(route, request, receive) as whole:
            try:
                reply = await self._reply(route, whole, captures)
            except Exception as error:  # noqa: BLE001 - the request boundary
                reply = failed(
                    f"{route.method} {route.template}",
                    error,
                    folder=self.workspace.state,
                    size=whole.size,
                )
                if route.changes:
                    await anyio.to_thread.run_sync(self._note_failure, found, whole, reply)
        await send_reply(send, reply)

    async def _reply(self, route: Route, request: Request, captures: Mapping[str, str]) -> Reply:
        arguments = route.arguments(request, captures)
        if route.hold is not None:
            await route.hold(**arguments)
        if route.is_async:
            reply = encoded(await route.handler(**arguments))
            if route.changes:
                await anyio.to_thread.run_sync(self._note, route, request, arguments)
            return reply
        return await anyio.to_thread.run_sync(self._handle, route, request, arguments)

    def _handle(self, route: Route, request: Request, arguments: dict[str, Any]) -> Reply:
        with route.service.store.transaction(write=route.write):
            reply = encoded(route.handler(**arguments))
            if route.changes:
                self._note(route, request, arguments)
            return reply

    def _note(
        self,
        route: Route,
        request: Request,
        params: Mapping[str, Any],
        refusal: tuple[int, str] = (200, ""),
    ) -> None:
        """Write the row of the audit log; in the transaction of the call, if it has one."""
        told = {n: v for n, v in params.items() if not isinstance(v, Request | Fields)}
        for fields in (value for value in params.values() if isinstance(value, Fields)):
            told |= fields
        route.service.workspace.audit.note(
            route.service_name,
            route.name,
            user=request.user,
            agent=request.headers.get("user-agent", ""),
            params=told,
            status=refusal[0],
            error=refusal[1] or None,
            workspace_id=self.workspace.workspace_id,
        )

    def _note_failure(
        self, found: tuple[Route, Mapping[str, str]], request: Request, reply: Reply
    ) -> None:
        route, captures = found
        told = json.loads(reply.body) if isinstance(reply.body, bytes) and reply.body else {}
        sent: Mapping[str, Any] = captures
        with contextlib.suppress(DatabricksError):  # what cannot be read is not told of
            sent = route.sent(request, captures)
        self._note(route, request, sent, (reply.status, str(told.get("message", ""))))

    @contextlib.asynccontextmanager
    async def _received(
        self, route: Route, request: Request, receive: Receive
    ) -> AsyncIterator[Request]:
        if not route.streams:
            yield dataclasses.replace(request, body=await bodies.whole(receive))
            return
        descriptor, name = tempfile.mkstemp(dir=self.workspace.state / "uploads")
        file = Path(name)
        try:
            await bodies.fill(descriptor, receive)
            yield dataclasses.replace(request, upload=file)
        finally:
            await anyio.to_thread.run_sync(_remove, file)

    def _signed(self, send: Send) -> Send:
        mark = (b"x-databricks-org-id", self.workspace.workspace_id.encode())

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), mark]}
            await send(message)

        return signed


def _config(workspace: Workspace, host: str) -> dict[str, str]:
    # Of several workspaces at one address the token tells which is meant, and here is none.
    one = {"workspace_id": workspace.workspace_id} if len(workspace.workspaces.all()) == 1 else {}
    return {
        "oidc_endpoint": f"{host}/oidc",
        **one,
        "account_id": "00000000-0000-0000-0000-000000000000",
        "cloud": "AWS",
    }


def _health(_workspace: Workspace, _host: str) -> dict[str, str]:
    return {"status": "ok"}


_OPEN = {"/.well-known/databricks-config": _config, "/health": _health}
"""Everything that is answered without a token."""


async def _unheard(_message: Message) -> None:
    """Send a part of an answer to nobody."""


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)

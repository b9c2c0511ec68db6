"""The face of the workspace: one flat list of steps that every request goes through."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import tempfile
import traceback
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import (
    BadRequest,
    InternalError,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from starlette.applications import Starlette
from starlette.routing import Mount as StarletteMount
from starlette.types import Message, Receive, Scope, Send

from laketop.workspace import wire
from laketop.workspace.known import KnownRoutes
from laketop.workspace.service import Mount, Reply, Request, Route, mounts_of, routes_of
from laketop.workspace.workspace import Workspace

MAX_BODY = 10 * 1024 * 1024
"""The largest body of a request, in bytes, but for routes that stream theirs."""

_MAX_DRAINED = 10 * MAX_BODY
_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_JSON = {"content-type": "application/json"}

_FALLS_BACK = {"POST /api/2.0/fs/create-download-url"}
"""What clients do in another way where it is not found."""

log = logging.getLogger("laketop.workspace")


def create_app(workspace: Workspace) -> Starlette:
    """Return the ASGI app of a workspace; its end shuts the workspace down."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(workspace.shutdown)

    face = Face(workspace)
    app = Starlette(routes=[StarletteMount("/", app=face)], lifespan=lifespan)
    app.state.face = face
    return app


class Face:
    """Answers every request: host, origin, token, decode, begin, handle, encode, commit, answer."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        services = workspace.services.values()
        self.routes: list[Route] = [r for service in services for r in routes_of(service)]
        self.mounts: list[Mount] = [m for service in services for m in mounts_of(service)]
        self.known = KnownRoutes(workspace.settings.cache)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; a websocket is turned away."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = _Started(self._signed(send))
        try:
            await self._answer(scope, receive, started)
        except Exception as error:
            if started.has_begun:
                raise
            await _send(started, _failed(scope["method"], error), head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        host = _checked_host(scope, headers)
        _check_origin(scope, headers)
        raw_path = scope["raw_path"].decode("ascii")
        if scope["method"] in {"GET", "HEAD"} and raw_path in _OPEN:
            await _send(send, Reply(wire.encode(_OPEN[raw_path](self.workspace, host)), 200, _JSON))
            return
        user = self._user(headers)
        self.workspace.act_for(user)
        request = Request(scope["method"], raw_path, _query(scope), headers, b"", user, host)
        found = await anyio.to_thread.run_sync(self._found, request)
        if isinstance(found, Mount):
            app = await anyio.to_thread.run_sync(found.app)
            scope = {**scope, "laketop.user": user, "laketop.host": host, "root_path": ""}
            await app(scope, _limited(receive), send)
            return
        await self._serve(found, request, receive, send)

    def _user(self, headers: Mapping[str, str]) -> str:
        kind, _, token = headers.get("authorization", "").partition(" ")
        user = self.workspace.tokens.user_of(token) if kind.lower() == "bearer" else None
        if user is None:
            raise Unauthenticated("Credential was not sent or was of an unsupported type.")
        return user

    def _found(self, request: Request) -> tuple[Route, Mapping[str, str]] | Mount:
        methods = [request.method] if request.method != "HEAD" else ["HEAD", "GET"]
        for method in methods:
            for route in self.routes:
                if route.method == method:
                    captures = route.captures(request.path)
                    if captures is not None:
                        return route, captures
        mount = max(self.mounts, key=lambda m: m.depth(request.path), default=None)
        if mount is not None and mount.depth(request.path):
            return mount
        raise self._nothing_at(request)

    def _nothing_at(self, request: Request) -> DatabricksError:
        name = f"{request.method} {request.path}"
        if name not in _FALLS_BACK and name in self.known:
            return NotServed(f"laketop does not serve '{name}'.")
        return NotFound(f"No API found for '{name}'", error_code="ENDPOINT_NOT_FOUND")

    async def _serve(
        self,
        found: tuple[Route, Mapping[str, str]],
        request: Request,
        receive: Receive,
        send: Send,
    ) -> None:
        route, captures = found
        async with self._received(route, request, receive) as whole:
            try:
                reply = await self._reply(route, whole, captures)
            except Exception as error:  # noqa: BLE001 - the request boundary
                reply = _failed(f"{route.method} {route.template}", error)
        await _send(send, reply, head=request.method == "HEAD")

    async def _reply(self, route: Route, request: Request, captures: Mapping[str, str]) -> Reply:
        arguments = route.arguments(request, captures)
        if route.hold is not None:
            await route.hold(**arguments)
        if route.is_async:
            return _encoded(await route.handler(**arguments))
        return await anyio.to_thread.run_sync(self._handle, route, arguments)

    def _handle(self, route: Route, arguments: dict[str, Any]) -> Reply:
        with self.workspace.store.transaction(write=route.write):
            return _encoded(route.handler(**arguments))

    @contextlib.asynccontextmanager
    async def _received(
        self, route: Route, request: Request, receive: Receive
    ) -> AsyncIterator[Request]:
        if not route.streams:
            yield dataclasses.replace(request, body=await _whole(receive))
            return
        descriptor, name = tempfile.mkstemp(dir=self.workspace.state / "uploads")
        file = Path(name)
        try:
            await _fill(descriptor, receive)
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


# --- the steps before a handler ------------------------------------------------------------------


def _headers(scope: Scope) -> dict[str, str]:
    return {n.decode("latin-1").lower(): text.decode("latin-1") for n, text in scope["headers"]}


def _query(scope: Scope) -> dict[str, str]:
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return dict(reversed(pairs))


def _checked_host(scope: Scope, headers: Mapping[str, str]) -> str:
    port = scope["server"][1]
    host = headers.get("host", "")
    if host not in _own(port):
        raise PermissionDenied("The host that was asked for is not this workspace.")
    return f"http://{host}"


def _check_origin(scope: Scope, headers: Mapping[str, str]) -> None:
    own = {f"http://{host}" for host in _own(scope["server"][1])}
    if "origin" in headers and headers["origin"] not in own:
        raise PermissionDenied("Requests from another origin are refused.")


def _own(port: int) -> set[str]:
    named = {f"{host}:{port}" for host in _HOSTS}
    return named | set(_HOSTS) if port == 80 else named


def _config(workspace: Workspace, host: str) -> dict[str, str]:
    return {
        "oidc_endpoint": f"{host}/oidc",
        "workspace_id": workspace.workspace_id,
        "account_id": "00000000-0000-0000-0000-000000000000",
        "cloud": "AWS",
    }


def _health(_workspace: Workspace, _host: str) -> dict[str, str]:
    return {"status": "ok"}


_OPEN = {"/.well-known/databricks-config": _config, "/health": _health}
"""Everything that is answered without a token."""


async def _whole(receive: Receive) -> bytes:
    body, size = bytearray(), 0
    async for part in _parts(receive):
        # What is too much is read to its end, or the client would see a broken connection.
        size += len(part)
        if size <= MAX_BODY:
            body += part
        elif size > _MAX_DRAINED:
            break
    if size > MAX_BODY:
        raise _too_large()
    return bytes(body)


def _too_large() -> BadRequest:
    return BadRequest(
        f"The body is larger than {MAX_BODY} bytes.", error_code="MAX_REQUEST_SIZE_EXCEEDED"
    )


class _Started:
    """A `send` that knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)


def _limited(receive: Receive) -> Receive:
    left = MAX_BODY

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large()
        return message

    return limited


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The body ended early.", error_code="MALFORMED_REQUEST")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)


async def _fill(descriptor: int, receive: Receive) -> None:
    with os.fdopen(descriptor, "wb") as file:
        async for part in _parts(receive):
            await anyio.to_thread.run_sync(file.write, part)
        file.flush()
        await anyio.to_thread.run_sync(os.fsync, file.fileno())


# --- the steps after it --------------------------------------------------------------------------


def _encoded(result: Any) -> Reply:
    return result if isinstance(result, Reply) else Reply(wire.encode(result), 200, _JSON)


def _reply_of(error: DatabricksError) -> Reply:
    return Reply(wire.encode_error(error), wire.status_of(error), _JSON)


def _failed(what: str, error: Exception) -> Reply:
    """Return the answer to a request that failed.

    A fault of laketop is logged by its place but without its text, which can hold what was sent.
    """
    if isinstance(error, DatabricksError):
        return _reply_of(error)
    request_id = uuid.uuid4().hex
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    log.error("request %s: %s: %s\n%s", request_id, what, type(error).__name__, places)
    message = f"laketop failed at {what}; its log tells more of request {request_id}."
    return _reply_of(InternalError(message))


async def _send(send: Send, reply: Reply, *, head: bool = False) -> None:
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes) and not head:
        headers["content-length"] = str(len(reply.body))
    pairs = [(n.lower().encode("latin-1"), text.encode("latin-1")) for n, text in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    try:
        if isinstance(reply.body, bytes):
            await send({"type": "http.response.body", "body": b"" if head else reply.body})
            return
        if not head:
            async for part in _each(reply.body):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        close = getattr(reply.body, "close", None)
        if close is not None:
            close()


async def _each(body: Any) -> AsyncIterator[bytes]:
    if hasattr(body, "__aiter__"):
        async for part in body:
            yield part
        return
    parts = iter(body)
    while (part := await anyio.to_thread.run_sync(next, parts, None)) is not None:
        yield part

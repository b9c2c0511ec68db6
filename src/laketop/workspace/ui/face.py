"""Answers a browser: who is signed in, which page, and what went wrong, for a person to read."""

from __future__ import annotations

import dataclasses
import logging
import re
import uuid
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import unquote

import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import (
    InternalError,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from starlette.types import Message, Receive, Scope, Send

from laketop.workspace import bodies, gate, wire
from laketop.workspace.answers import Watched, places_of, send_reply
from laketop.workspace.service import Reply
from laketop.workspace.ui import layout
from laketop.workspace.ui.elements import notice
from laketop.workspace.ui.html import el, join
from laketop.workspace.ui.view import Page, View, pages

if TYPE_CHECKING:
    from laketop.workspace.ui.sessions import Sessions
    from laketop.workspace.workspace import Workspace

_HTML = "text/html; charset=utf-8"
MLFLOW = "/mlflow"
"""Below it is MLflow's own page."""
_SIGN_IN = "/signin"
_OWN = frozenset({"", "signin", "assets", "mlflow", "favicon.ico"})
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x7e]*")
_MLFLOW_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self' blob:; frame-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""MLflow's page writes styles into itself; scripts come from this address alone, as everything."""

log = logging.getLogger("laketop.workspace")


class PageFace:
    """Everything at the workspace's address that is for eyes.

    A person is signed in by a cookie, or by a token as a client is; what is asked for is only
    read. The cookie is looked at here and nowhere else.
    """

    def __init__(self, workspace: Workspace, sessions: Sessions) -> None:
        self._workspace = workspace
        self._sessions = sessions
        self._pages = list(pages())
        self._roots = _OWN | {one.pattern.split("/")[1] for one in self._pages}

    @property
    def patterns(self) -> list[str]:
        """The path patterns of every page."""
        return [one.pattern for one in self._pages]

    @property
    def cookie(self) -> str:
        """The name of the cookie: ports share a browser's cookies, so it names the metastore.

        The workspaces over it share the cookie: a browser is signed in to one of them.
        """
        return _cookie_name(self._workspace)

    def serves(self, raw_path: str) -> bool:
        """Tell whether a path is of the page rather than of the API."""
        return raw_path.split("/", 2)[1] in self._roots if raw_path.startswith("/") else False

    async def answer(self, scope: Scope, receive: Receive, send: Watched) -> None:
        """Answer a request whose host and origin are checked already."""
        headers, path = gate.headers_of(scope), scope["raw_path"].decode("latin-1")
        query = gate.query_of(scope)
        try:
            _check_method(scope["method"], path)
            open_ = self._open(path, query, headers)
            if open_ is not None:
                await _send(send, open_)
                return
            user = self._user(headers)
            self._workspace.act_for(user)
            if path == MLFLOW or path.startswith(f"{MLFLOW}/"):
                await self._mlflow(scope, path, receive, send)
                return
            view = View(self._workspace, path, query, user)
            reply = await anyio.to_thread.run_sync(self._shown, view)
        except Exception as error:
            if send.has_begun:
                raise
            reply = self._failed(scope["method"], headers, error)
        await _send(send, reply)

    # --- who looks ---

    def _user(self, headers: Mapping[str, str]) -> str:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            found = token if kind.lower() == "bearer" else None
        else:
            _check_fetched_by_us(headers)
            found = self._sessions.bearer(cookie_of(self._workspace, headers))
        user = None if found is None else self._workspace.tokens.user_of(found)
        if user is None:
            raise Unauthenticated("Nobody is signed in.")
        return user

    def _open(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Reply | None:
        """Return what is answered to everybody: how the page looks, and the way in."""
        name = path.removeprefix("/assets/")
        if path != name and name in layout.ASSETS:
            kept = {"content-type": layout.ASSETS[name], "cache-control": "no-cache"}
            return Reply(layout.asset(name), 200, kept)
        if path == "/favicon.ico":
            return Reply(layout.asset("icon.svg"), 200, {"content-type": "image/svg+xml"})
        if path != _SIGN_IN:
            return None
        cookie = self._sessions.enter(query.get("link", ""))
        target = query.get("to", "/")
        if cookie is None:
            return self._way_in(status=403 if "link" in query else 401, headers=headers)
        return self._entered(cookie, target if _LOCAL.fullmatch(target) else "/")

    def _entered(self, cookie: str, target: str) -> Reply:
        # Not by a redirect: a browser that came here from another site would not send the cookie,
        # which is SameSite=Strict, along with it.
        head = el("meta", http_equiv="refresh", content=f"0;url={target}")
        body = el("p", "You are signed in. ", el("a", "Go on", href=target), ".")
        given = f"{self.cookie}={cookie}; Path=/; HttpOnly; SameSite=Strict"
        headers = {"content-type": _HTML, "set-cookie": given}
        return Reply(layout.bare("Signed in", body, head=head), 200, headers)

    @staticmethod
    def _way_in(*, status: int, headers: Mapping[str, str]) -> Reply:
        if "text/html" not in headers.get("accept", ""):
            error = Unauthenticated("Nobody is signed in: `laketop open` prints a link that does.")
            return Reply(wire.encode_error(error), status, {"content-type": "application/json"})
        said = (
            "This link has been used, or is too old."
            if status == 403
            else "This page shows a workspace of this laptop to whoever is signed in."
        )
        body = join(
            el("p", said),
            el("p", "In the folder of the project run"),
            el("pre", "laketop open"),
            el("p", "and open the link that it prints. It works once, and for ten minutes."),
        )
        return Reply(layout.bare("Sign in", body), status, {"content-type": _HTML})

    # --- what is shown ---

    def _shown(self, view: View) -> Reply:
        for one in self._pages:
            captures = one.captures(view.path)
            if captures is not None:
                found = one.handler(view, **captures)
                return found if isinstance(found, Reply) else self._framed(found, view.query)
        raise NotFound(f"There is no page at {unquote(view.path)[:300]!r}.")

    def _framed(self, page: Page, query: Mapping[str, str], *, status: int = 200) -> Reply:
        project = self._workspace.settings.root.name
        if len(self._workspace.workspaces.all()) > 1:
            project = f"{project} · {self._workspace.name}"
        body = layout.document(page, project=project, search=query.get("q", ""))
        return Reply(body, status, {"content-type": _HTML})

    def _failed(self, method: str, headers: Mapping[str, str], error: Exception) -> Reply:
        if isinstance(error, Unauthenticated):
            return self._way_in(status=401, headers=headers)
        if not isinstance(error, DatabricksError):
            request_id = uuid.uuid4().hex
            name = type(error).__name__
            log.error("request %s: %s a page: %s\n%s", request_id, method, name, places_of(error))
            error = InternalError(f"laketop failed; its log tells more of request {request_id}.")
        status = wire.status_of(error)
        title = {403: "Not here", 404: "Not found", 503: "Not now"}.get(status, "It failed")
        page = Page(title=title, body=notice(str(error), kind="bad"), trail=[("Overview", "/")])
        return self._framed(page, {}, status=status)

    async def _mlflow(self, scope: Scope, path: str, receive: Receive, send: Watched) -> None:
        if not self._workspace.is_admin:
            raise PermissionDenied("MLflow's own page shows everything: it is for admins.")
        if path == MLFLOW:
            await _send(send, Reply(b"", 303, {"location": f"{MLFLOW}/"}))
            return
        app = await anyio.to_thread.run_sync(self._workspace.mlflow.page)
        inner = {
            **scope,
            "path": scope["path"].removeprefix(MLFLOW),
            "raw_path": scope["raw_path"].removeprefix(MLFLOW.encode()),
            "root_path": "",
        }
        headers = {**layout.HEADERS, "content-security-policy": _MLFLOW_POLICY}
        del headers["cache-control"]
        await app(inner, bodies.limited(receive), _with(send, headers))


def cookie_of(workspace: Workspace, headers: Mapping[str, str]) -> str:
    """Return the value of the page's cookie, "" without one."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(_cookie_name(workspace))
    except CookieError:
        return ""
    return "" if found is None else found.value


def _cookie_name(workspace: Workspace) -> str:
    return f"laketop-page-{workspace.metastore_id}"


def _check_method(method: str, path: str) -> None:
    if method not in {"GET", "HEAD"} and not path.startswith(f"{MLFLOW}/"):
        raise PermissionDenied("Pages are only read: clients change things through the API.")


def _check_fetched_by_us(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another port has the browser fetch: to cookies it is the same site."""
    if headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        return
    if headers.get("sec-fetch-mode") != "navigate":
        raise PermissionDenied("Another page's scripts do not look at this one.")


async def _send(send: Watched, reply: Reply) -> None:
    whole = {**layout.HEADERS, **reply.headers}
    await send_reply(send, dataclasses.replace(reply, headers=whole))


def _with(send: Send, headers: Mapping[str, str]) -> Send:
    pairs = [(name.encode(), text.encode()) for name, text in headers.items()]
    names = {name for name, _ in pairs} | {b"set-cookie"}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(n, text) for n, text in message.get("headers", []) if n.lower() not in names]
            message = {**message, "headers": [*own, *pairs]}
        await send(message)

    return sending

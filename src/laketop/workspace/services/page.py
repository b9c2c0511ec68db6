"""The way into the page, and the addresses in it; Databricks has no such routes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.workspace.clock import wall_ms
from laketop.workspace.service import Request, Service, route
from laketop.workspace.ui.sessions import LINK_MS, Sessions
from laketop.workspace.workspace import Workspace

_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}")


class Page(Service):
    """Signs people in to the page of the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        own = workspace.first is workspace
        self.sessions: Sessions = (
            Sessions(workspace.tokens.workspace_of, wall_ms)
            if own
            else workspace.first.page.sessions
        )

    @route("POST /api/laketop/1/page/link", write=False)
    def link(self, request: Request, path: str = "/") -> dict[str, Any]:
        """Return a link that signs a browser in, once, and leads to a path of this workspace."""
        if not _PATH.fullmatch(path):
            raise InvalidParameterValue(f"{path[:200]!r} is no path of this workspace's page.")
        token = request.headers.get("authorization", "").partition(" ")[2]
        query = {"link": self.sessions.link(token), **({"to": path} if path != "/" else {})}
        return {"url": f"{request.host}/signin?{urlencode(query)}", "expires_in_ms": LINK_MS}

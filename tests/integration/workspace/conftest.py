"""A workspace that serves on a free port of loopback, and the official client for it."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from databricks.sdk import WorkspaceClient

from laketop.settings import Settings
from laketop.workspace.app import create_app
from laketop.workspace.workspace import Workspace

USER = "me@laketop.local"


@dataclasses.dataclass(frozen=True)
class Served:
    """A workspace that answers at `host` to who shows `token`."""

    workspace: Workspace
    host: str
    token: str

    @property
    def client(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.host, token=self.token)


@contextlib.contextmanager
def serving(root: Path, cache: Path) -> Iterator[Served]:
    """Serve the workspace of the project at `root` until the block ends."""
    workspace = Workspace(Settings(root=root, cache=cache, user=USER))
    server = uvicorn.Server(
        uvicorn.Config(create_app(workspace), port=0, log_level="warning", lifespan="on")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        workspace.host = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield Served(workspace, workspace.host, workspace.tokens.issue(USER))
    finally:
        server.should_exit = True
        thread.join(timeout=30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    cache = tmp_path_factory.getbasetemp() / "cache"
    with serving(tmp_path_factory.mktemp("project"), cache) as found:
        yield found


@pytest.fixture(scope="module")
def workspace(served: Served) -> Workspace:
    return served.workspace


@pytest.fixture(scope="module")
def client(served: Served) -> WorkspaceClient:
    return served.client


@pytest.fixture(scope="module")
def host(served: Served) -> str:
    return served.host


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    return served.token

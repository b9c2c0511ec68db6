"""A workspace that serves on a free port of loopback, and the official client for it."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.common.types.fieldmask import FieldMask
from databricks.sdk.service.iam import PatchSchema, ServicePrincipal, User
from tests.integration.workspace.answers import MISREAD, Watched

from laketop.settings import Settings
from laketop.workspace import listening
from laketop.workspace.app import create_app
from laketop.workspace.workspace import Workspace

USER = "me@laketop.local"
MakeUser = Callable[[], User]
ClientOf = Callable[[str | None], WorkspaceClient]
SCIM_PATCH = [PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]


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
def serving(root: Path, cache: Path, *, webhooks: tuple[str, ...] = ()) -> Iterator[Served]:
    """Serve the workspace of the project at `root` until the block ends."""
    workspace = Workspace(Settings(root=root, cache=cache, user=USER, webhooks=webhooks))
    server = listening.server(Watched(create_app(workspace)), port=0, lifespan="on")
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
        thread.join(timeout=60)


@pytest.fixture(autouse=True)
def every_answer_is_read_by_the_sdk() -> Iterator[None]:
    """Fail a test in which the workspace answered what the SDK's dataclasses do not know."""
    MISREAD.clear()
    yield
    assert not MISREAD


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


@pytest.fixture(scope="module")
def make_user(client: WorkspaceClient) -> MakeUser:
    """Return what makes a user who is no admin."""

    def make() -> User:
        name = f"u{secrets.token_hex(4)}@laketop.local"
        return client.users_v2.create(user_name=name, display_name="U")

    return make


@pytest.fixture(scope="module")
def client_of(workspace: Workspace) -> ClientOf:
    """Return what makes a client of a user, known by the name."""

    def client_of(name: str | None) -> WorkspaceClient:
        return WorkspaceClient(host=workspace.host, token=workspace.tokens.issue(name or ""))

    return client_of


@pytest.fixture
def ann(make_user: MakeUser, client_of: ClientOf) -> WorkspaceClient:
    """Return the client of a new user who is no admin."""
    return client_of(make_user().user_name)


@pytest.fixture
def robot(client: WorkspaceClient) -> ServicePrincipal:
    """Return a new service principal."""
    return client.service_principals_v2.create(display_name="robot")


def with_token(client: WorkspaceClient, token: str | None) -> WorkspaceClient:
    """Return a client of the same workspace that shows another token."""
    return WorkspaceClient(host=client.config.host, token=token)


def mask(*paths: str) -> FieldMask:
    """Return the mask that names fields."""
    return FieldMask(list(paths))  # type: ignore[no-untyped-call]  # the SDK's own

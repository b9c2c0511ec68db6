"""Uploads that never end: clients that vanish or dawdle, and a server killed in the middle."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import VolumeType
from tests.integration.workspace.forking import forking_server
from tests.integration.workspace.test_uploads import begun, completed, urls

from laketop.workspace.workspace import Workspace

SIZE = 1_000_000


@contextlib.contextmanager
def half_sent(address: str, token: str | None) -> Iterator[socket.socket]:
    """Yield the connection of a PUT of `SIZE` bytes of which only half came."""
    place = urlsplit(address)
    asked = place.path + (f"?{place.query}" if place.query else "")
    head = [f"PUT {asked} HTTP/1.1", f"Host: {place.netloc}", f"Content-Length: {SIZE}"]
    head += [f"Authorization: Bearer {token}"] if token else []
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=60) as client:
        client.sendall("\r\n".join([*head, "", ""]).encode() + bytes(SIZE // 2))
        yield client


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.01)


def files_in(folder: Path) -> list[Path]:
    return [place for place in folder.rglob("*") if place.is_file()]


@pytest.fixture(scope="module")
def volume(client: WorkspaceClient) -> str:
    client.volumes.create("main", "default", "accidents", VolumeType.MANAGED)
    return "/Volumes/main/default/accidents"


def content(client: WorkspaceClient, path: str) -> bytes:
    found = client.files.download(path).contents
    assert found is not None
    return found.read()


def test_a_client_that_vanishes_leaves_nothing(
    client: WorkspaceClient, volume: str, host: str, token: str, workspace: Workspace
) -> None:
    kept, new = (f"{volume}/{secrets.token_hex(4)}" for _ in range(2))
    client.files.upload(kept, io.BytesIO(b"whole"))
    session = begun(client, new)
    part = urls(client, new, session, 1)[0]
    uploads = workspace.state / "uploads"
    files = f"{host}/api/2.0/fs/files"
    for address, shown in (
        (f"{files}{kept}?overwrite=true", token),
        (f"{files}{new}", token),
        (part, None),
    ):
        with half_sent(address, shown):
            wait_until(lambda: any(place.stat().st_size for place in files_in(uploads)))
        wait_until(lambda: not files_in(uploads))
    assert content(client, kept) == b"whole"
    with pytest.raises(NotFound):
        client.files.get_metadata(new)
    etag = requests.put(part, data=b"in the end", timeout=60).headers["ETag"]
    completed(client, new, session, [{"part_number": 1, "etag": etag}])
    assert content(client, new) == b"in the end"


def test_slow_clients_keep_nobody_waiting_and_arrive(
    client: WorkspaceClient, volume: str, host: str, token: str
) -> None:
    slow = f"{volume}/{secrets.token_hex(4)}"
    with contextlib.ExitStack() as stack:
        address = f"{host}/api/2.0/fs/files{slow}?overwrite=true"
        dawdling = [stack.enter_context(half_sent(address, token)) for _ in range(50)]
        with pytest.raises(NotFound):
            client.files.get_metadata(slow)
        client.files.upload(f"{volume}/quick", io.BytesIO(b"quick"), overwrite=True)
        assert content(client, f"{volume}/quick") == b"quick"
        dawdling[0].sendall(bytes(SIZE - SIZE // 2))
        assert dawdling[0].recv(100).startswith(b"HTTP/1.1 204")
        assert content(client, slow) == bytes(SIZE)


def test_a_kill_amid_uploads_leaves_nothing_of_them(tmp_path: Path) -> None:
    volume, state = "/Volumes/main/default/v", tmp_path / ".laketop"
    with forking_server(tmp_path, 2) as server:
        assert server.stdout is not None
        pid, port, token = server.stdout.readline().split()
        host = f"http://127.0.0.1:{port}"
        client = WorkspaceClient(host=host, token=token)
        client.volumes.create("main", "default", "v", VolumeType.MANAGED)
        client.files.upload(f"{volume}/kept", io.BytesIO(b"whole"))
        session = begun(client, f"{volume}/parts")
        first, second = urls(client, f"{volume}/parts", session, 2)
        etag = requests.put(first, data=b"one", timeout=60).headers["ETag"]
        files = f"{host}/api/2.0/fs/files{volume}"
        with (
            half_sent(f"{files}/kept?overwrite=true", token),
            half_sent(f"{files}/new", token),
            half_sent(second, None),
        ):
            begun_files = state / "uploads"
            wait_until(lambda: sum(p.stat().st_size > 0 for p in files_in(begun_files)) == 3)
            os.kill(int(pid), signal.SIGKILL)
        pid, port, token = server.stdout.readline().split()
        client = WorkspaceClient(host=f"http://127.0.0.1:{port}", token=token)
        names = [one.name for one in client.files.list_directory_contents(volume)]
        assert names == ["kept"]
        assert content(client, f"{volume}/kept") == b"whole"
        assert files_in(state / "uploads") + files_in(state / "multipart") == []
        parts = [{"part_number": 1, "etag": etag}]
        with pytest.raises(NotFound, match="no such upload"):
            completed(client, f"{volume}/parts", session, parts)
        os.kill(int(pid), signal.SIGKILL)

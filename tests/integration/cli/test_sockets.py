"""What listens, listens on loopback alone: the workspace, the engine and what they have started."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.processes import family_of

from laketop.workspace import daemon

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LISTENING = "0A"
"""Source: proc(5), /proc/net/tcp; the state is TCP_LISTEN of the kernel's tcp_states.h."""


def test_workspace_and_engine_listen_on_loopback_alone(
    workspace: daemon.Contact, spark_remote: str
) -> None:
    engine = urlsplit(spark_remote).port
    with socket.create_connection(("127.0.0.1", engine or 0), timeout=60):
        found = list(_listening([workspace.pid, *family_of(workspace.pid)]))
    assert {port for _, port in found} >= {urlsplit(workspace.url).port, engine}
    assert [(str(host), port) for host, port in found if not host.is_loopback] == []


def test_a_socket_that_is_open_to_the_network_would_be_seen() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - nobody is answered
        found = [(str(host), port) for host, port in _listening(["self"])]
        assert ("0.0.0.0", server.getsockname()[1]) in found  # noqa: S104 - likewise


def _listening(pids: list[int | str]) -> Iterator[tuple[Address, int]]:
    """Yield the addresses on which processes wait for connections."""
    theirs = {inode for pid in pids for inode in _sockets(Path(f"/proc/{pid}/fd"))}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            cells = line.split()
            local, state, inode = cells[1], cells[3], cells[9]
            if state == LISTENING and inode in theirs:
                host, _, port = local.partition(":")
                yield _address(host), int(port, 16)


def _sockets(folder: Path) -> Iterator[str]:
    """Yield the inodes of a process's sockets; none of one that has ended."""
    try:
        files = list(folder.iterdir())
    except OSError:
        return
    for file in files:
        with contextlib.suppress(OSError):
            kind, _, inode = str(file.readlink()).partition(":[")
            if kind == "socket":
                yield inode.rstrip("]")


def _address(told: str) -> Address:
    """Return the address that is told as words of 32 bits, each in the order of the machine."""
    words = [bytes.fromhex(told[at : at + 8]) for at in range(0, len(told), 8)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    found = ipaddress.ip_address(b"".join(words))
    return getattr(found, "ipv4_mapped", None) or found

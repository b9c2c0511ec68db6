"""Whether a port of the loopback interface is taken, and by whom. Source: reliability R8."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from laketop.errors import LaketopError

HOST = "127.0.0.1"
_PROC = Path("/proc")
_LISTENS = "0A"
"""The state of a socket in /proc/net/tcp. Source: Linux, proc(5)."""


def listener_at(port: int) -> socket.socket:
    """Return a socket that listens on a port, 0 for a free one.

    Errors: LaketopError that names the port, and its holder where that is known.
    """
    # Only to a socket that says TCP does asyncio give TCP_NODELAY, without which the second
    # part of an answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        holder = holder_of(port)
        by = f" by {holder}" if holder else ""
        raise LaketopError(
            f"port {port} is in use{by}: {error.strerror}",
            hint="choose another with --port, or --port 0 for a free one",
        ) from error
    listener.listen(128)
    return listener


def check_free(port: int) -> None:
    """Check that a port can be had, before anything is written; 0 always can. Errors: as above."""
    if port:
        listener_at(port).close()


def holder_of(port: int) -> str | None:
    """Return the process that listens on a port, as `process 12 (python)`; None if nobody knows.

    Only Linux tells, and only of processes of the same user.
    """
    links = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in _PROC.glob("[0-9]*") if links else ():
        # Processes end while they are looked at, and those of others are not to be looked at.
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in links for file in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8").strip()
                return f"process {process.name} ({name})"
    return None


def _inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = re.split(r"\s+", line.strip())
                if fields[1].endswith(f":{port:04X}") and fields[3] == _LISTENS:
                    yield fields[9]

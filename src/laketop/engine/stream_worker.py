"""The Python that Spark starts for the `foreachBatch` or listener of a stream.

Spark waits ten seconds until it connects back, starts it on the server's interpreter and gives it
no token. So it connects before it imports what is slow, goes on as the interpreter of the user's
session, and takes the token that `StreamWorkers.java` has left for it. It is run as a file,
`stream_worker.py MODULE`, by interpreters that need not have laketop.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import runpy
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote

if TYPE_CHECKING:
    from typing_extensions import Buffer

SOCKET = "LAKETOP_STREAM_SOCKET"
FOLDER = "LAKETOP_STREAM_WORKERS"


def main() -> None:
    """Connect to the engine, become the interpreter of the session, run Spark's own module."""
    module = sys.argv[1]
    kept = os.environ.pop(SOCKET, None)
    connection = socket.socket(fileno=int(kept)) if kept else connected()
    left = _left_for(session_of(connection))
    python = left.get("python") or sys.executable
    if kept is None and python != sys.executable:
        connection.set_inheritable(True)
        os.environ[SOCKET] = str(connection.fileno())
        os.execv(python, [python, "-P", __file__, module])  # noqa: S606 - the session's own
    if "token" in left:
        os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = left["token"]
    _hand_over(connection)
    sys.argv = [module]
    code = _run(module)
    sys.stdout.flush()
    sys.stderr.flush()
    # An interpreter that winds down lets frames go, each with a call to an engine that may be gone:
    # it would wait for an answer for ever.
    os._exit(code)


def _run(module: str) -> int:
    """Run the module as the program, and return what it ends with."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - what the interpreter itself would print
        traceback.print_exc()
        return 1
    return 0


def connected() -> socket.socket:
    """Return the connection to the engine, known to it, on which nothing has been read."""
    from pyspark.util import local_connect_and_auth

    port = os.environ.get("PYTHON_WORKER_FACTORY_PORT", "-1")
    address = os.environ.get("PYTHON_WORKER_FACTORY_SOCK_PATH", int(port))
    file, connection = local_connect_and_auth(
        address, os.environ.get("PYTHON_WORKER_FACTORY_SECRET")
    )
    file.write(os.getpid().to_bytes(4, "big"))
    file.flush()
    found: socket.socket = connection.dup()
    file.close()
    connection.close()
    found.settimeout(None)  # there may be hours between two batches
    return found


def session_of(connection: socket.socket) -> str:
    """Return the id of the session, the second text that Spark sends; it can be read again."""
    start = 0
    texts = []
    for _ in range(2):
        size = int.from_bytes(_peeked(connection, start + 4)[start:], "big")
        texts.append(_peeked(connection, start + 4 + size)[start + 4 :].decode())
        start += 4 + size
    return texts[1]


def _peeked(connection: socket.socket, size: int) -> bytes:
    return connection.recv(size, socket.MSG_PEEK | socket.MSG_WAITALL)


def _left_for(session: str) -> dict[str, str]:
    url = os.environ["SPARK_CONNECT_LOCAL_URL"]
    user = unquote(url.partition(";user_id=")[2].partition(";")[0])
    name = hashlib.sha256(f"{user} {session}".encode()).hexdigest()
    file = Path(os.environ[FOLDER]) / f"{name}.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def _hand_over(connection: socket.socket) -> None:
    """Let Spark's module find the connection made already, instead of making one."""
    from pyspark import util, worker_util

    @contextlib.contextmanager
    def made(timeout: int | None = -1) -> Iterator[IO[Any]]:
        del timeout  # set when it was connected
        with connection.makefile("rwb") as file:
            yield cast("IO[Any]", file)

    if hasattr(worker_util, "get_sock_file_to_executor"):
        worker_util.get_sock_file_to_executor = made
    else:  # Spark 4.0, whose modules connect and tell the process by themselves
        util.local_connect_and_auth = lambda *_: (KnownToEngine(connection), connection)


class KnownToEngine(io.BufferedRWPair):
    """The file of a connection whose engine knows the process, which is not told it again."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection.makefile("rb", 0), connection.makefile("wb", 0))
        self._told = False

    def write(self, data: Buffer, /) -> int:
        """Write, but for the first call, which tells the number of the process."""
        if self._told:
            return super().write(data)
        self._told = True
        return memoryview(data).nbytes


if __name__ == "__main__":
    main()

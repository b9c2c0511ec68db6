"""A server that never comes to the end of its answer, nor lets go of the connection."""

from __future__ import annotations

import contextlib
import queue
import socketserver
import threading
from collections.abc import Iterator
from typing import Final

_SECONDS: Final = 0.02
"""Between one drip and the next."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False

    def __init__(self, begin: bytes, drip: bytes) -> None:
        self.begin, self.drip = begin, drip
        self.came: queue.Queue[None] = queue.Queue()
        """Holds an item for each connection."""
        self.hung_up: queue.Queue[None] = queue.Queue()
        """Holds an item for each connection that the client closed."""
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/drip"


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.came.put(None)
        self.request.settimeout(_SECONDS)
        try:
            self.request.sendall(self.server.begin)
            while not self.server.ended.is_set():
                with contextlib.suppress(TimeoutError):
                    if not self.request.recv(65536):
                        break
                self.request.sendall(self.server.drip)
        except ConnectionError:
            pass
        if not self.server.ended.is_set():
            self.server.hung_up.put(None)


@contextlib.contextmanager
def dripping(begin: bytes = b"", drip: bytes = b"1") -> Iterator[_Server]:
    """Serve `begin` and then `drip` again and again, on a free port, until the block ends."""
    with _Server(begin, drip) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()

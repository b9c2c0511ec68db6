"""How long a client may take to say what it wants, and in how many bytes.

Source: reliability S6.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server

MAX_HEAD = 16 * 1024
"""The most bytes of a request's line and headers."""
HEAD_SECONDS = 30.0
"""How long a connection may wait for a whole head."""


class TimedHttp(H11Protocol):
    """HTTP whose heads are limited in size and time; a connection that tells none is closed."""

    seconds = HEAD_SECONDS
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the head is too large."""
        if self.conn.their_state is h11.IDLE:
            head = self.conn.trailing_data[0] + data
            end = head.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
            if end < 0 and len(head) > MAX_HEAD:
                self._stop_waiting()
                self.send_400_response(f"The headers are larger than {MAX_HEAD} bytes.")
                return
        super().data_received(data)

    def handle_events(self) -> None:
        """Go on as far as what came allows; from the first byte of a head its time runs."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting is None and self.conn.trailing_data[0]:
            self._wait()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def server(app: Any, *, lifespan: Any = "off", **more: Any) -> Server:
    """Return what serves an ASGI app to clients that are held to the limits."""
    config = Config(
        app,
        http=TimedHttp,
        ws="none",
        log_level="warning",
        access_log=False,
        lifespan=lifespan,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD,
        **more,
    )
    return Server(config)

"""Secret values, kept out of all that a task prints or hands back.

Source: on Databricks a printed secret shows as `[REDACTED]`. Redaction is literal: a value that
was cut up or changed by the task is not recognised.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import io
import json
import os
import sys
import threading
import urllib.parse
from typing import Any

REDACTED = "[REDACTED]"


class Redaction:
    """The secret values that are known so far, in the spellings they are printed in."""

    def __init__(self) -> None:
        self._spellings: list[bytes] = []

    def add(self, secret: bytes) -> None:
        """Keep `secret` out from now on: plain, and as JSON, URL and base64 write it."""
        known = {*self._spellings, *_spellings(secret)} - {b""}
        self._spellings = sorted(known, key=lambda spelling: (-len(spelling), spelling))

    def text(self, text: str) -> str:
        """Return `text` with `[REDACTED]` in place of each secret."""
        return self.clean(text.encode("utf-8", "surrogateescape")).decode(
            "utf-8", "surrogateescape"
        )

    def clean(self, data: bytes) -> bytes:
        """Return `data` with `[REDACTED]` in place of each secret."""
        for spelling in self._spellings:
            data = data.replace(spelling, REDACTED.encode())
        return data

    def held_back(self, data: bytes) -> int:
        """Return how many bytes at the end of `data` may be the start of a secret."""
        longest = max(map(len, self._spellings), default=0) - 1
        for count in range(min(longest, len(data)), 0, -1):
            tail = data[-count:]
            if any(spelling.startswith(tail) for spelling in self._spellings):
                return count
        return 0


def _spellings(secret: bytes) -> set[bytes]:
    spellings = {secret, base64.b64encode(secret)}
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return spellings
    spellings.add(json.dumps(text)[1:-1].encode())
    spellings.add(urllib.parse.quote(text, safe="").encode())
    spellings.add(urllib.parse.quote_plus(text).encode())
    return spellings


class RedactedOutput(io.RawIOBase):
    """A binary stream to a file descriptor, through a redaction.

    An end that may become a secret with the next write waits for it, or for `finish`.
    """

    def __init__(self, descriptor: int, redaction: Redaction) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._redaction = redaction
        self._waiting = b""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor; what is written to it directly is not redacted."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return False."""
        return False

    def write(self, data: object) -> int:
        """Write all of `data`, except an end that may become a secret."""
        block = bytes(data)  # type: ignore[call-overload]  # any buffer, as io asks
        with self._lock:
            text = self._redaction.clean(self._waiting + block)
            keep = self._redaction.held_back(text)
            self._waiting = text[len(text) - keep :]
            self._emit(text[: len(text) - keep])
        return len(block)

    def finish(self) -> None:
        """Write what is waiting."""
        with self._lock:
            waiting, self._waiting = self._waiting, b""
            self._emit(waiting)

    def _emit(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def redact_output(redaction: Redaction) -> None:
    """Put stdout and stderr of this process behind `redaction`, to its end."""
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout = _text(RedactedOutput(1, redaction))
    sys.stderr = _text(RedactedOutput(2, redaction))


def _text(output: RedactedOutput) -> io.TextIOWrapper:
    buffer: Any = output  # it has all of a buffer that is written to
    text = io.TextIOWrapper(
        buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True
    )
    atexit.register(_finish, text, output)
    return text


def _finish(text: io.TextIOWrapper, output: RedactedOutput) -> None:
    with contextlib.suppress(OSError, ValueError):  # closed by the task, or nobody is left to read
        text.flush()
        output.finish()

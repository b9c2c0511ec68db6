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
_SHORTEST = 4
"""Shorter lines, and other spellings of shorter values, would be found by chance."""
_BLOCK_BYTES = 65536


class Redaction:
    """The secret values that are known so far, in the spellings they are printed in."""

    def __init__(self) -> None:
        self._spellings: list[bytes] = []

    def add(self, secret: bytes) -> None:
        """Keep `secret` out from now on: whole and by its lines, plain and as others write it.

        Others: JSON, URLs, `repr`, hex, and base64 wherever in the encoded bytes it stands.
        """
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
        return max((_begun(spelling, data) for spelling in self._spellings), default=0)


def _begun(spelling: bytes, data: bytes) -> int:
    """Return how many bytes at the end of `data` are the start of `spelling`, but not all of it."""
    at = data.find(spelling[:1], max(0, len(data) - len(spelling) + 1))
    while at >= 0:
        if spelling.startswith(data[at : at + 16]) and spelling.startswith(data[at:]):
            return len(data) - at
        at = data.find(spelling[:1], at + 1)
    return 0


def _spellings(secret: bytes) -> set[bytes]:
    whole = _written(secret)
    lines = [line.strip() for line in secret.splitlines()]
    return whole.union(*(_written(line) for line in lines if len(line) >= _SHORTEST))


def _written(secret: bytes) -> set[bytes]:
    written = {secret, base64.b64encode(secret), base64.urlsafe_b64encode(secret)}
    if len(secret) >= _SHORTEST:
        written |= {secret.hex().encode(), secret.hex().upper().encode(), *_within_base64(secret)}
    written.add(repr(secret)[2:-1].encode())
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return written
    for spelt in (
        *(repr(text)[1:-1], ascii(text)[1:-1]),
        *(json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]),
        *(urllib.parse.quote(text, safe=""), urllib.parse.quote(text)),
        urllib.parse.quote_plus(text),
    ):
        written.add(spelt.encode())
    return written


def _within_base64(secret: bytes) -> set[bytes]:
    """Return the characters that `secret` alone decides, by how many bytes stand before it."""
    found = set()
    for before in range(3):
        length = 8 * (before + len(secret)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(bytes(before) + secret)[(0, 2, 3)[before] : length])
    return found


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


def pump(source: int, descriptor: int, redaction: Redaction) -> None:
    """Write what comes from the pipe `source` to `descriptor`, redacted, to its end."""
    output = RedactedOutput(descriptor, redaction)
    while block := os.read(source, _BLOCK_BYTES):
        output.write(block)
    output.finish()


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

"""The answers of the workspace: results and errors on their way out."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import sqlite3
import traceback
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import InternalError
from starlette.types import Message, Send

from laketop.workspace import wire
from laketop.workspace.service import Reply

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FAULTY = frozenset({errno.EROFS, errno.EIO})
_SQLITE_FULL = "SQLITE_FULL"
_SQLITE_FAULTY = ("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
"""Source: sqlite.org, result codes; extended ones begin with the name of theirs."""
_JSON = {"content-type": "application/json"}

log = logging.getLogger("laketop.workspace")


class Watched:
    """A `send` that knows whether its answer has begun, and whether it has a body at all."""

    def __init__(self, send: Send, *, is_head: bool) -> None:
        self._send = send
        self.is_head = is_head
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Pass a part of the answer on."""
        self.has_begun = True
        await self._send(message)


def encoded(result: Any) -> Reply:
    """Return the answer that a handler's result makes."""
    return result if isinstance(result, Reply) else Reply(wire.encode(result), 200, _JSON)


def _reply_of(error: DatabricksError) -> Reply:
    return Reply(wire.encode_error(error), wire.status_of(error), _JSON)


def failed(what: str, error: Exception, *, folder: Path | None = None, size: int = 0) -> Reply:
    """Return the answer to a request that failed.

    A fault of laketop is logged by its place but without its text, which can hold what was sent.
    A disk that is full, or cannot be read or written, is none: whoever asked is told of it, of
    the workspace's `folder`, and of how many bytes the request has brought.
    """
    if isinstance(error, DatabricksError):
        return _reply_of(error)
    problem = _disk_problem(error)
    if problem is not None:
        problem = f"{problem}{_room(folder, size)}"
        log.error("%s: %s", what, problem)
        return _reply_of(InternalError(problem))
    request_id = uuid.uuid4().hex
    log.error("request %s: %s: %s\n%s", request_id, what, type(error).__name__, places_of(error))
    message = f"laketop failed at {what}; its log tells more of request {request_id}."
    return _reply_of(InternalError(message))


def _disk_problem(error: BaseException) -> str | None:
    """Return what is said of a disk that did not do what a request needed; None if it did.

    It names no path of a file, which can hold what was sent.
    """
    if isinstance(error, OSError) and error.errno in _FULL | _FAULTY:
        return _said("file", os.strerror(error.errno), is_full=error.errno in _FULL)
    if isinstance(error, sqlite3.OperationalError):
        name = getattr(error, "sqlite_errorname", "")
        is_full = name == _SQLITE_FULL
        is_told = is_full or name.startswith(_SQLITE_FAULTY)
        return _said("database", str(error), is_full=is_full) if is_told else None
    below = error.__cause__
    return None if below is None else _disk_problem(below)


def _room(folder: Path | None, size: int) -> str:
    if folder is None:
        return ""
    told = f" The workspace is in {str(folder)!r}"
    with contextlib.suppress(OSError):  # a disk that cannot be read
        told += f", where {shutil.disk_usage(folder).free} bytes are free"
    return f"{told}; the request brought {size} bytes." if size else f"{told}."


def _said(what: str, why: str, *, is_full: bool) -> str:
    if is_full:
        return f"A {what} cannot be written: {why}. Make room on its disk, and try again."
    return f"A {what} cannot be read or written: {why}."


def places_of(error: Exception) -> str:
    """Return where an error came from, without its text, which can hold what was sent."""
    return "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))


async def send_reply(send: Watched, reply: Reply) -> None:
    """Send an answer, without its body if it answers HEAD; close the body in any case."""
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes) and not send.is_head:
        headers["content-length"] = str(len(reply.body))
    pairs = [(n.lower().encode("latin-1"), text.encode("latin-1")) for n, text in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
    try:
        if isinstance(reply.body, bytes):
            body = b"" if send.is_head else reply.body
            await send({"type": "http.response.body", "body": body})
            return
        if not send.is_head:
            async for part in _each(reply.body):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        close = getattr(reply.body, "close", None)
        if close is not None:
            close()


async def _each(body: Any) -> AsyncIterator[bytes]:
    if hasattr(body, "__aiter__"):
        async for part in body:
            yield part
        return
    parts = iter(body)
    while (part := await anyio.to_thread.run_sync(next, parts, None)) is not None:
        yield part

"""The bodies of requests: read up to a limit, or streamed into a file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import anyio.to_thread
from databricks.sdk.errors.platform import BadRequest
from starlette.types import Message, Receive

MAX_BODY = 10 * 1024 * 1024
"""The largest body of a request, in bytes, but for routes that stream theirs."""

_MAX_DRAINED = 10 * MAX_BODY


async def whole(receive: Receive) -> bytes:
    """Return the body.

    Errors: BadRequest if it is larger than `MAX_BODY`, or ends early.
    """
    body, size = bytearray(), 0
    async for part in _parts(receive):
        # What is too much is read to its end, or the client would see a broken connection.
        size += len(part)
        if size <= MAX_BODY:
            body += part
        elif size > _MAX_DRAINED:
            break
    if size > MAX_BODY:
        raise _too_large()
    return bytes(body)


async def fill(descriptor: int, receive: Receive) -> None:
    """Stream a body of any size into an open file, flush it to the disk and close it."""
    with os.fdopen(descriptor, "wb") as file:
        async for part in _parts(receive):
            await anyio.to_thread.run_sync(file.write, part)
        file.flush()
        await anyio.to_thread.run_sync(os.fsync, file.fileno())


def limited(receive: Receive) -> Receive:
    """Return a `receive` that raises BadRequest beyond `MAX_BODY`."""
    left = MAX_BODY

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large()
        return message

    return receive_some


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The body ended early.", error_code="MALFORMED_REQUEST")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _too_large() -> BadRequest:
    return BadRequest(
        f"The body is larger than {MAX_BODY} bytes.", error_code="MAX_REQUEST_SIZE_EXCEEDED"
    )

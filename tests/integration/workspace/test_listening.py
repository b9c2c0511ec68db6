"""Clients that say too much, or nothing: sockets of their own, on a server of a moment."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from laketop.workspace import listening
from laketop.workspace.listening import MAX_HEAD


async def _answers(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(listening.TimedHttp, "seconds", 0.3)
    server = listening.server(_answers, timeout_keep_alive=60)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        yield client


def _head(size: int) -> bytes:
    begin = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nX: "
    return begin + b"y" * (size - len(begin))


def test_headers_up_to_the_limit_are_read_and_larger_ones_refused(port: int) -> None:
    with _connected(port) as client:
        client.sendall(_head(MAX_HEAD) + b"\r\n\r\nabc")
        assert client.recv(100).startswith(b"HTTP/1.1 204")
        client.sendall(_head(MAX_HEAD) + b"\r\n\r\n" + b"abc")
        assert client.recv(100).startswith(b"HTTP/1.1 204")
    for sent in (_head(MAX_HEAD + 1), _head(MAX_HEAD + 1) + b"\r\n\r\nabc"):
        with _connected(port) as client:
            client.sendall(sent)
            assert client.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_connection_that_never_tells_a_whole_head_is_closed(port: int) -> None:
    for sent in (b"", b"POST / HT", _head(200)):
        with _connected(port) as client:
            client.sendall(sent)
            assert client.recv(100) == b""
    with _connected(port) as client:
        client.sendall(_head(200) + b"\r\n\r\nabc")
        assert client.recv(1000).startswith(b"HTTP/1.1 204")
        client.sendall(b"POST")
        assert client.recv(100) == b""


def test_a_body_may_take_longer_than_a_head(port: int) -> None:
    with _connected(port) as client:
        client.sendall(_head(200) + b"\r\n\r\na")
        time.sleep(0.5)
        client.sendall(b"bc")
        assert client.recv(100).startswith(b"HTTP/1.1 204")

from __future__ import annotations

import socket

from laketop.engine.stream_worker import KnownToEngine, session_of


def sent(*texts: str) -> bytes:
    return b"".join(len(text.encode()).to_bytes(4, "big") + text.encode() for text in texts)


def test_the_session_is_seen_and_left_for_spark_to_read() -> None:
    engine, worker = socket.socketpair()
    with engine, worker:
        said = sent("3.11", "b7a5-öffentlich", "the function")
        engine.sendall(said)
        assert session_of(worker) == "b7a5-öffentlich"
        assert worker.recv(1000) == said


def test_a_session_that_is_told_bit_by_bit_is_waited_for() -> None:
    engine, worker = socket.socketpair()
    with engine, worker:
        said = sent("3.11", "abc")
        engine.sendall(said[:9])
        engine.sendall(said[9:])
        assert session_of(worker) == "abc"


def test_the_number_of_the_process_is_told_once() -> None:
    engine, worker = socket.socketpair()
    with engine, worker, KnownToEngine(worker) as file:
        for told in (b"\0\0\0\7", b"ready"):
            file.write(told)
            file.flush()
        engine.sendall(b"go on")
        assert file.read(5) == b"go on"
        assert engine.recv(1000) == b"ready"

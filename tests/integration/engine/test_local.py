from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.engines import SHORT_LIVED
from tests.integration.processes import is_running

from laketop.engine import LocalEngine, RemoteEngine
from laketop.errors import LaketopError
from laketop.settings import Settings


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    environment = {**os.environ, **SHORT_LIVED, "LAKETOP_ENGINE_IDLE_SECONDS": "15"}
    settings = Settings.read(tmp_path_factory.mktemp("engine"), environment)
    started = LocalEngine(settings, token="a-token-of-this-test")
    yield started
    pid = started.pid
    started.stop()
    assert pid is None or not is_running(pid)


def ask(engine: LocalEngine, statement: str) -> list[tuple[object, ...]]:
    engine.wait()
    session = RemoteEngine(engine.remote).session()
    rows = [tuple(row) for row in session.sql(statement).collect()]
    session.stop()
    return rows


def until(engine: LocalEngine, phase: str, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while engine.state.phase != phase:
        assert time.monotonic() < deadline, engine.state
        time.sleep(0.02)


def test_a_killed_engine_comes_back_at_the_same_address_with_its_tables(
    engine: LocalEngine,
) -> None:
    ask(engine, "create or replace table main.default.kept as select 42 as answer")
    state, remote = engine.state, engine.remote
    assert state.pid is not None
    os.kill(state.pid, signal.SIGKILL)
    until(engine, "starting")
    assert ask(engine, "select answer from main.default.kept") == [(42,)]
    assert engine.remote == remote
    assert engine.state.restarts == state.restarts + 1


def test_a_port_that_another_program_took_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        engine = LocalEngine(Settings.read(tmp_path), token="a-token", port=port)
        with pytest.raises(LaketopError, match=f"port {port} of the engine is in use"):
            engine.wait()
        engine.stop()
    assert not engine.log.exists()


def test_an_engine_nobody_uses_ends_and_comes_back(engine: LocalEngine) -> None:
    engine.wait()
    until(engine, "idle")
    assert ask(engine, "select 1") == [(1,)]


def test_an_engine_that_is_stopped_leaves_no_process_and_whoever_waits_hears_of_it(
    tmp_path: Path,
) -> None:
    engine = LocalEngine(Settings.read(tmp_path), token="a-token-of-this-test")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.wait)
        while engine.pid is None:
            time.sleep(0.02)
        pid = engine.pid
        engine.stop()
        with pytest.raises(LaketopError, match="has ended with its workspace"):
            waiting.result(60)
    assert engine.state.phase == "stopped"
    assert not is_running(pid)
    with pytest.raises(LaketopError, match="has ended with its workspace"):
        engine.start()
    assert engine.pid is None

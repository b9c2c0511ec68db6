from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laketop.engine import LocalEngine, RemoteEngine
from laketop.settings import Settings


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LocalEngine]:
    settings = Settings.read(tmp_path, {**os.environ, "LAKETOP_ENGINE_IDLE_SECONDS": "12"})
    started = LocalEngine(settings, token="a-token-of-this-test")
    yield started
    started.stop()


def until(engine: LocalEngine, phase: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while engine.state.phase != phase:
        assert time.monotonic() < deadline, engine.state
        time.sleep(0.05)


def test_an_engine_nobody_uses_ends_and_comes_back_with_its_tables(engine: LocalEngine) -> None:
    session = engine.session()
    session.sql("create table main.default.kept as select 42 as answer")
    session.stop()
    until(engine, "idle")
    again = engine.session()
    assert again.table("main.default.kept").first().asDict() == {"answer": 42}
    again.stop()


def test_a_killed_engine_comes_back_at_the_same_address(engine: LocalEngine) -> None:
    remote = engine.remote
    state = engine.wait()
    assert state.pid is not None
    os.kill(state.pid, signal.SIGKILL)
    until(engine, "starting")
    engine.wait()
    assert engine.state.restarts == 1
    session = RemoteEngine(remote).session()
    assert session.sql("select 1 as one").first().one == 1
    session.stop()


def test_stop_leaves_no_process(engine: LocalEngine) -> None:
    state = engine.wait()
    engine.stop()
    assert state.pid is not None
    assert engine.state.phase == "stopped"
    with pytest.raises(ProcessLookupError):
        os.kill(state.pid, 0)

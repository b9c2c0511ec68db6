"""Hypothesis profiles: small by default, full sizes with `nox -s torture`; options."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,  # the machine may be busy; nothing here asserts on seconds
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("torture", settings.get_profile("default"), max_examples=10_000)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "write expectations that are files anew, and show what changed"
    parser.addoption("--update", action="store_true", help=text)
    text = "run each test so many times"
    parser.addoption("--rounds", type=int, default=1, metavar="N", help=text)
    text = "add to this file what clients were answered, for scripts/witnesses.py"
    parser.addoption("--witnesses", metavar="FILE", help=text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test run as often as `--rounds` says: `nox -s torture` looks for what is rare."""
    rounds = metafunc.config.getoption("--rounds")
    if rounds > 1:
        metafunc.fixturenames.append("round_")
        metafunc.parametrize("round_", range(rounds), indirect=True)


@pytest.fixture
def round_(request: pytest.FixtureRequest) -> int:
    """Return which of the rounds this is."""
    return int(request.param)


def pytest_configure() -> None:
    """Let nobody look for garbage among what is imported: a tenth of the time that it takes."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported, a quarter of the time of quick tests."""
    gc.enable()
    gc.collect()
    gc.freeze()

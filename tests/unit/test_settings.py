from __future__ import annotations

from pathlib import Path

import pytest

from laketop.errors import ConfigError
from laketop.settings import Settings


def test_the_cache_is_the_users_own() -> None:
    settings = Settings.read(Path("/project"), {"HOME": "/home/ann"})
    assert settings.cache == Path("/home/ann/.cache/laketop")
    assert settings.state == Path("/project/.laketop")


def test_xdg_cache_home_moves_the_cache() -> None:
    settings = Settings.read(Path("/project"), {"HOME": "/home/ann", "XDG_CACHE_HOME": "/fast"})
    assert settings.cache == Path("/fast/laketop")


def test_a_port_that_is_no_number_is_refused_with_its_value() -> None:
    with pytest.raises(ConfigError, match="LAKETOP_PORT is 'https'"):
        Settings.read(Path("/project"), {"LAKETOP_PORT": "https"})


def test_options_of_java_are_split_as_a_shell_does() -> None:
    read = Settings.read(
        Path("/project"), {"LAKETOP_ENGINE_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 '-Da=b c'"}
    )
    assert read.engine_java_options == ("-XX:TieredStopAtLevel=1", "-Da=b c")


def test_options_of_java_whose_quote_does_not_close_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"LAKETOP_ENGINE_JAVA_OPTIONS is .*: no closing quot"):
        Settings.read(Path("/project"), {"LAKETOP_ENGINE_JAVA_OPTIONS": "'-Da"})


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Settings.read(Path("/project"), {"LAKETOP_ENGINE_IDLE_SECONDS": ""}) == Settings.read(
        Path("/project"), {}
    )

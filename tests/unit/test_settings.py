from __future__ import annotations

from pathlib import Path

import pytest

from laketop.errors import ConfigError
from laketop.settings import JOBS, SERVERLESS, Settings


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


def test_rates_and_prices_are_told_by_sku() -> None:
    told = {"LAKETOP_DBUS_BY_SKU": f"{JOBS}=2, {SERVERLESS}=0", "LAKETOP_DBU_PRICES": f"{JOBS}=.15"}
    found = Settings.read(Path(), told)
    assert found.dbus_by_sku == {JOBS: 2, SERVERLESS: 0}
    assert found.dbu_prices == {JOBS: 0.15}


@pytest.mark.parametrize("text", ["0.15", "GOLD=1", f"{JOBS}=", f"{JOBS}=-1", f"{JOBS}=inf"])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a SKU and a number"):
        Settings.read(Path(), {"LAKETOP_DBU_PRICES": text})


def test_addresses_of_webhooks_name_their_hosts() -> None:
    told = "https://hooks.example.com/a, http://127.0.0.1:9000 http://[::1]:9000/"
    found = Settings.read(Path(), {"LAKETOP_WEBHOOKS": told}).webhooks
    assert found == ("https://hooks.example.com/a", "http://127.0.0.1:9000", "http://[::1]:9000/")


@pytest.mark.parametrize(
    "text",
    [
        *("https://", "https:/", "https:", "/", "http://:80/", "hooks.example.com", "https://[::1"),
        *("https://.x/", "https://*.example.com/", "https://a:0/", "https://a:b/", "ftp://a/"),
        "https://hooks.example.com/,https://",
    ],
)
def test_an_address_of_webhooks_without_a_whole_host_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"LAKETOP_WEBHOOKS holds .* a whole host") as refused:
        Settings.read(Path(), {"LAKETOP_WEBHOOKS": text})
    assert refused.value.hint


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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.laketop]\nruntime = "17.3-LTS"\n')
    return tmp_path


def test_the_runtime_is_what_the_project_asks_for(project: Path) -> None:
    assert Settings.read(project, {}).runtime == "17.3-LTS"
    assert Settings.read(project / "elsewhere", {}).runtime == "default"


def test_a_variable_has_the_last_word_about_the_runtime(project: Path) -> None:
    assert Settings.read(project, {"LAKETOP_RUNTIME": "default"}).runtime == "default"
    assert Settings.read(project, {"LAKETOP_RUNTIME": ""}).runtime == "17.3-LTS"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[tool.laketop]\nruntime = 17.3\n", r"runtime in '.*pyproject.toml' is 17.3, which"),
        (b"[tool.laketop]\nruntime = 17.3-LTS\n", r"'.*pyproject.toml' cannot be read: .*line 2"),
        (b'[tool.laketop]\nruntime = "\xff"\n', r"'.*pyproject.toml' cannot be read: "),
        (b'tool = "laketop runtime"\n', r"tool in '.*pyproject.toml' is 'laketop runtime', which"),
        (b"[tool]\nlaketop = 1 # runtime\n", r"laketop in '.*pyproject.toml' is 1, which"),
    ],
)
def test_a_runtime_that_cannot_be_read_is_refused(project: Path, text: bytes, told: str) -> None:
    (project / "pyproject.toml").write_bytes(text)
    with pytest.raises(ConfigError, match=told):
        Settings.read(project, {})

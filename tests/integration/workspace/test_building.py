"""Builds of artifacts run in the shell that the bundle names."""

from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle import load
from laketop.errors import LaketopError
from laketop.settings import Settings
from laketop.workspace.deployment.building import build


def built(folder: Path, artifact: str) -> bool:
    text = f"bundle: {{name: b}}\nartifacts: {{a: {{type: jar, path: ., {artifact}}}}}\n"
    (folder / "databricks.yml").write_text(text, encoding="utf-8")
    settings = Settings.read(folder)
    settings.state.mkdir(exist_ok=True)
    return build(load(folder), settings, lambda _line: None)


def test_the_shell_that_the_bundle_names_builds(tmp_path: Path) -> None:
    files = 'files: [{source: "*.jar"}]'
    assert built(tmp_path, f"build: 'echo $0 > a.jar', executable: sh, {files}")
    assert (tmp_path / "a.jar").read_text(encoding="utf-8").strip().endswith("/sh")
    assert built(tmp_path, f"build: 'echo $0 > a.jar', executable: bash, {files}")
    assert (tmp_path / "a.jar").read_text(encoding="utf-8").strip().endswith("/bash")


def test_a_build_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    with pytest.raises(LaketopError, match=r"artifact 'a' did not build: .* ended with 1"):
        built(tmp_path, "build: \"false\\ntouch a.jar\", files: [{source: '*.jar'}]")
    assert not (tmp_path / "a.jar").exists()


def test_a_shell_that_is_not_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaketopError, match="artifact 'a' is built by 'cmd', which is not here"):
        built(tmp_path, "build: x, executable: cmd, files: [{source: '*.jar'}]")

"""Environments of tasks; uv installs wheels from a folder, so that no index is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from laketop.errors import ConfigError
from laketop.runner import pip
from laketop.runner.overlay import Wanted, overlay

if TYPE_CHECKING:
    from collections.abc import Sequence


def make_wheel(
    folder: Path, name: str, version: str, *needs: str, content: str = "answer = 42\n"
) -> Path:
    """Write a wheel of one module and return it."""
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", content)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


class Site:
    """A folder of wheels, a cache, and the calls of uv."""

    def __init__(self, folder: Path) -> None:
        self.wheels = folder / "wheels"
        self.cache = folder / "cache"
        self.said: list[str] = []
        self.calls: list[Sequence[str]] = []

    def make(self, *requirements: str) -> Path:
        options = ("--no-index", "--find-links", str(self.wheels), "--offline")
        wanted = Wanted(requirements=requirements, options=options)
        return overlay(wanted, self.cache, self._run, self.said.append)

    def _run(self, argv: Sequence[str], output: Path) -> int:
        self.calls.append(argv)
        with output.open("ab") as log:
            return subprocess.run(argv, stdout=log, stderr=log, check=False).returncode


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site with a wheel of two, of which one needs the other."""
    site = Site(tmp_path)
    make_wheel(site.wheels, "laketop_outer", "1.0", "laketop_inner>=1", "packaging")
    make_wheel(site.wheels, "laketop_inner", "1.5")
    return site


def ask(folder: Path, code: str) -> str:
    """Return what an interpreter with the folder on its path prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_what_is_asked_for_and_what_that_needs_is_installed(site: Site) -> None:
    folder = site.make("laketop-outer")
    assert ask(folder, "import laketop_outer, laketop_inner; print(laketop_inner.answer)") == "42"
    assert site.said == ["installing laketop-outer"]


def test_what_the_interpreter_has_already_is_not_installed_again(site: Site) -> None:
    folder = site.make("laketop-outer")
    assert not (folder / "packaging").exists()


def test_another_version_than_the_interpreters_is_installed_where_it_is_needed(site: Site) -> None:
    make_wheel(site.wheels, "packaging", "99.0")
    make_wheel(site.wheels, "laketop_new", "1.0", "packaging>=99")
    folder = site.make("laketop-new")
    code = "import importlib.metadata as m; print(m.version('packaging'))"
    assert ask(folder, code) == "99.0"


def test_what_needs_another_engine_is_refused(site: Site) -> None:
    make_wheel(site.wheels, "laketop_old", "1.0", "pyspark<3")
    with pytest.raises(ConfigError, match="beside this engine's pyspark"):
        site.make("laketop-old")


def test_an_environment_is_made_once_for_each_content(site: Site) -> None:
    folder = site.make("laketop-inner", "laketop-outer")
    calls = len(site.calls)
    assert site.make("laketop-outer", "laketop-inner") == folder
    assert len(site.calls) == calls
    assert site.make("laketop-inner") != folder


def test_a_wheel_is_known_by_its_content_not_by_its_name(site: Site, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "own", "laketop_own", "1.0")
    first = site.make(str(wheel))
    make_wheel(tmp_path / "own", "laketop_own", "1.0", content="answer = 43\n")
    second = site.make(str(wheel))
    code = "import laketop_own; print(laketop_own.answer)"
    assert [ask(folder, code) for folder in (first, second)] == ["42", "43"]


def test_tasks_that_ask_at_the_same_time_install_once(site: Site) -> None:
    folders: list[Path] = []
    threads = [
        threading.Thread(target=lambda: folders.append(site.make("laketop-inner")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == 1
    assert len(site.said) == 1


def test_what_cannot_be_installed_is_named_and_leaves_nothing(site: Site) -> None:
    with pytest.raises(ConfigError, match=r"laketop-nowhere==7 cannot be installed: .*"):
        site.make("laketop-nowhere==7")
    left = [path.name for path in site.cache.iterdir() if not path.name.endswith(".lock")]
    assert left == []


def test_another_version_of_what_speaks_to_the_engine_is_refused(site: Site) -> None:
    with pytest.raises(ConfigError, match=r"'pyspark==3\.5\.0' is asked for"):
        site.make("pyspark==3.5.0")
    assert site.calls == []


def test_pip_install_brings_the_new_version_of_a_module_that_was_imported(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "laketop_inner.py").write_text("answer = 1\n")
    monkeypatch.setattr(sys, "path", [str(old), *sys.path])
    monkeypatch.setenv("PYTHONPATH", "")
    import laketop_inner  # type: ignore[import-not-found]  # it is made here

    assert laketop_inner.answer == 1
    pip.install(["laketop-inner"], ["--no-index", "--find-links", str(site.wheels)], site.cache)
    import laketop_inner as newer

    assert newer.answer == 42
    assert "installed: laketop-inner" in capsys.readouterr().out
    assert ask(Path(os.environ["PYTHONPATH"]), "import laketop_inner as l; print(l.answer)") == "42"
    del sys.modules["laketop_inner"]

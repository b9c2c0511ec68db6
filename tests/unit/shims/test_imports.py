"""Import hooks: acts follow an import, stand-ins fill a gap."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from laketop.shims.imports import after_import, provide_module


@pytest.fixture(autouse=True)
def clean_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield
    for name in ("watched_module", "stood_in"):
        sys.modules.pop(name, None)


def test_an_act_follows_the_import(tmp_path: Path) -> None:
    (tmp_path / "watched_module.py").write_text("value = 1\n", encoding="utf-8")
    seen: list[ModuleType] = []
    after_import("watched_module", seen.append)
    assert seen == []

    watched_module = importlib.import_module("watched_module")

    assert seen == [watched_module]
    assert watched_module.value == 1
    assert type(watched_module.__loader__).__name__ == "SourceFileLoader"


def test_an_act_on_a_loaded_module_is_done_at_once() -> None:
    seen: list[ModuleType] = []
    after_import("json", seen.append)

    assert seen == [sys.modules["json"]]


def test_a_stand_in_fills_a_gap_and_gives_way_to_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("value = 2\n", encoding="utf-8")
    provide_module("stood_in", tmp_path / "elsewhere.py")
    stood_in = importlib.import_module("stood_in")

    assert stood_in.value == 2
    del sys.modules["stood_in"]
    (tmp_path / "stood_in.py").write_text("value = 3\n", encoding="utf-8")
    importlib.invalidate_caches()
    assert importlib.import_module("stood_in").value == 3

"""Wheels that come from elsewhere: what they may unpack to."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from laketop.errors import ConfigError
from laketop.runner import wheels
from laketop.runner.wheels import unpack


def _wheel(tmp_path: Path, entries: Mapping[str, bytes], *, mode: int = 0) -> Path:
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return wheel


def _left(tmp_path: Path) -> list[str]:
    """Return what is there but the wheel and the empty cache."""
    return sorted(
        str(place.relative_to(tmp_path))
        for place in tmp_path.rglob("*")
        if place.suffix != ".whl" and place != tmp_path / "cache"
    )


def test_a_wheel_is_unpacked_once_with_its_data(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path, {"thing/__init__.py": b"", "thing-1.0.data/purelib/more.py": b"x = 1"})
    folder = unpack(wheel, tmp_path / "cache")
    assert sorted(place.name for place in folder.rglob("*.py")) == ["__init__.py", "more.py"]
    assert (folder / "more.py").read_bytes() == b"x = 1"
    assert unpack(wheel, tmp_path / "cache") == folder


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "/out", "a//b", "./out", "..\\out", "C:/out", "a/..", "a\\..\\out"],
)
def test_an_entry_that_would_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    wheel = _wheel(tmp_path, {"thing.py": b"", name: b"x"})
    with pytest.raises(ConfigError, match="leaves its folder"):
        unpack(wheel, tmp_path / "cache")
    assert _left(tmp_path) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK])
def test_an_entry_that_is_no_plain_file_is_refused(tmp_path: Path, kind: int) -> None:
    wheel = _wheel(tmp_path, {"thing.py": b"/etc/passwd"}, mode=kind | 0o777)
    with pytest.raises(ConfigError, match="neither a file nor a folder"):
        unpack(wheel, tmp_path / "cache")
    assert _left(tmp_path) == []


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path, {"thing.py": bytes(10_000_000)})
    with pytest.raises(ConfigError, match="more than 100 times its size"):
        unpack(wheel, tmp_path / "cache")
    assert _left(tmp_path) == []


def test_too_many_entries_or_bytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = _wheel(tmp_path, {f"thing/{number}.py": b"x" * 10 for number in range(12)})
    monkeypatch.setattr(wheels, "MOST_ENTRIES", 11)
    with pytest.raises(ConfigError, match="has 12 entries, more than 11"):
        unpack(wheel, tmp_path / "cache")
    monkeypatch.setattr(wheels, "MOST_ENTRIES", 12)
    monkeypatch.setattr(wheels, "MOST_BYTES", 119)
    with pytest.raises(ConfigError, match="unpacks to 120 bytes, more than 119"):
        unpack(wheel, tmp_path / "cache")
    assert _left(tmp_path) == []


def test_a_size_that_is_a_lie_does_not_unpack_to_more(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path, {"thing.py": b"y" * 5000})
    size = (5000).to_bytes(4, "little")
    content = wheel.read_bytes()
    assert content.count(size) == 2
    wheel.write_bytes(content.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(ConfigError, match="is not a wheel"):
        unpack(wheel, tmp_path / "cache")
    assert _left(tmp_path) == []

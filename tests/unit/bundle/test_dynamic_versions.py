"""Wheels under a version of their own for each build: names, metadata, records."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import os
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from laketop.bundle.dynamic_versions import patched, patched_name
from laketop.errors import LaketopError

METADATA = "Metadata-Version: 2.1\nName: shop\nVersion: 1.2\n\nVersion: of the text\n"


def make_wheel(folder: Path, *, version: str = "1.2", built_ns: int = 7) -> Path:
    wheel = folder / f"shop-{version}-py3-none-any.whl"
    info = f"shop-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("shop/__init__.py", "PRICE = 3\n")
        archive.writestr(f"shop-{version}.data/scripts/shop", "#!python\n")
        archive.writestr(f"{info}/METADATA", METADATA)
        archive.writestr(f"{info}/RECORD", "shop/__init__.py,,\n")
    os.utime(wheel, ns=(built_ns, built_ns))
    return wheel


def test_the_version_tells_when_the_wheel_was_built(tmp_path: Path) -> None:
    assert patched_name(make_wheel(tmp_path)) == "shop-1.2+7-py3-none-any.whl"
    local = make_wheel(tmp_path, version="1.2+local")
    assert patched_name(local) == "shop-1.2+7-py3-none-any.whl"


@pytest.mark.parametrize("name", ["shop.whl", "gone-1-py3-none-any.whl"])
def test_what_is_no_wheel_keeps_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "shop.whl").touch()
    assert patched_name(tmp_path / name) == name


def test_the_copy_is_a_whole_wheel_of_that_version(tmp_path: Path) -> None:
    made = patched(make_wheel(tmp_path), tmp_path / "patched")
    assert made.name == "shop-1.2+7-py3-none-any.whl"
    place = tmp_path / "unpacked"
    with zipfile.ZipFile(made) as archive:
        archive.extractall(place)
    (found,) = importlib.metadata.distributions(path=[str(place)])
    assert (found.name, found.version) == ("shop", "1.2+7")
    info = place / "shop-1.2+7.dist-info"
    assert (info / "METADATA").read_text().endswith("\n\nVersion: of the text\n")
    assert (place / "shop-1.2+7.data" / "scripts" / "shop").is_file()
    rows = list(csv.reader((info / "RECORD").read_text().splitlines()))
    assert rows[-1] == ["shop-1.2+7.dist-info/RECORD", "", ""]
    assert len(rows) == 4
    for name, digest, size in rows[:-1]:
        content = (place / name).read_bytes()
        told = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={told}", str(len(content)))


def test_the_copy_of_an_earlier_build_goes(tmp_path: Path) -> None:
    folder = tmp_path / "patched"
    first = patched(make_wheel(tmp_path), folder)
    assert patched(make_wheel(tmp_path), folder) == first
    second = patched(make_wheel(tmp_path, built_ns=8), folder)
    assert list(folder.iterdir()) == [second]


def test_a_file_that_is_no_wheel_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "shop-1-py3-none-any.whl"
    broken.write_text("no archive", encoding="utf-8")
    with pytest.raises(LaketopError, match=r"'shop-1-py3-none-any\.whl' is no wheel"):
        patched(broken, tmp_path / "patched")
    assert list((tmp_path / "patched").iterdir()) == []

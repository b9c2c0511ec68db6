"""Databricks archives of notebooks, packed and unpacked."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Cell, Notebook
from laketop.workspace import notebook_archive
from laketop.workspace.notebook_archive import Unpacked, packed, unpacked

EMPTY = '{"language": "python", "commands": []}'
_NAMES = st.text("ab. ", min_size=1, max_size=4).filter(lambda name: name.strip(". ") == name)
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)


def zipped(**entries: str | bytes) -> bytes:
    return zipped_by(zipfile.ZIP_DEFLATED, entries)


def zipped_by(method: int, entries: Mapping[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return content.getvalue()


def notebook(text: str, language: str = "sql") -> Notebook:
    return Notebook(language=language, cells=(Cell(number=1, language=language, source=text),))


@given(paths=st.sets(_PATHS, min_size=1, max_size=4), text=st.sampled_from(["SELECT 1", "é"]))
def test_what_was_packed_is_unpacked_but_for_the_folder_of_all(paths: set[str], text: str) -> None:
    inside = [(f"top/{path}", notebook(text)) for path in sorted(paths)]
    beside = ("other", notebook(text))
    found = unpacked(packed([*inside, beside]), "n")
    assert (found.notebooks, found.is_folder) == ([*inside, beside], True)
    found = unpacked(packed(inside), "n")
    assert ([path for path, _ in found.notebooks], found.is_folder) == (sorted(paths), True)
    assert unpacked(packed([beside]), "n") == Unpacked([beside], is_folder=False)


def test_entries_that_are_no_notebooks_are_passed_over() -> None:
    content = zipped(**{"manifest.mf": "x", "a/": "", "a/n.python": EMPTY, "a/n.txt": "x"})
    assert [path for path, _ in unpacked(content, "n").notebooks] == ["n"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a Databricks archive"),
        (b"PK", "not a Databricks archive"),
        (zipped(), "holds no notebook"),
        (zipped(a="x"), "holds no notebook"),
        (zipped(**{"a.python": "{"}), "its model cannot be read"),
        (zipped(**{"a.python": b"\xff"}), "its model cannot be read"),
        (zipped(**{"a.python": "[]"}), "its model cannot be read"),
        (zipped(**{"a.python": '{"language": "cobol", "commands": []}'}), "'cobol'"),
        (zipped(**{"a.python": EMPTY, "a.sql": EMPTY}), "two notebooks of one name"),
        (zipped(**{"a.python": EMPTY})[:-30], "not a Databricks archive"),
        (zipped_by(zipfile.ZIP_LZMA, {"a.python": EMPTY}), "not deflated"),
        (zipped_by(zipfile.ZIP_BZIP2, {"a.python": EMPTY}), "not deflated"),
    ],
)
def test_what_is_no_archive_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        unpacked(content, "n")


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped(**{"a.python": EMPTY + " " * 100_000})
    assert unpacked(content, "n")
    monkeypatch.setattr(notebook_archive, "_MOST_BYTES", 100_000)
    with pytest.raises(ConfigError, match="unpacks to more than 100000 bytes"):
        unpacked(content, "n")


def test_an_entry_that_is_larger_than_it_claims_is_not_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.python", bytes(64 * 1024 * 1024))
        archive.filelist[-1].file_size = 100
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="not a Databricks archive"):
            unpacked(content.getvalue(), "n")
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()

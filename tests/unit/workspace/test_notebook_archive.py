"""Databricks archives of notebooks, packed and unpacked."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Cell, Notebook
from laketop.workspace import notebook_archive
from laketop.workspace.notebook_archive import packed, unpacked

EMPTY = '{"language": "python", "commands": []}'
_NAMES = st.text("ab. ", min_size=1, max_size=4).filter(lambda name: name.strip(". ") == name)
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)


def zipped(**entries: str | bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return content.getvalue()


def notebook(text: str, language: str = "sql") -> Notebook:
    return Notebook(language=language, cells=(Cell(number=1, language=language, source=text),))


@given(paths=st.sets(_PATHS, min_size=1, max_size=4), text=st.sampled_from(["SELECT 1", "é"]))
def test_what_was_packed_is_unpacked_but_for_the_folder_of_all(paths: set[str], text: str) -> None:
    inside = [(f"top/{path}", notebook(text)) for path in sorted(paths)]
    beside = ("other", notebook(text))
    assert unpacked(packed([*inside, beside]), "n") == [*inside, beside]
    assert [path for path, _ in unpacked(packed(inside), "n")] == sorted(paths)


def test_entries_that_are_no_notebooks_are_passed_over() -> None:
    content = zipped(**{"manifest.mf": "x", "a/": "", "a/n.python": EMPTY, "a/n.txt": "x"})
    assert [path for path, _ in unpacked(content, "n")] == ["n"]


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

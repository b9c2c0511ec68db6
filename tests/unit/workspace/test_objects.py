"""The tree of workspace objects: what is a notebook, and how it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.workspace import Language

from laketop.workspace.multipart import parts_of
from laketop.workspace.objects import Tree, has_header, is_notebook


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", "# Databricks notebook source\nx", True),
        ("a.py", "# Databricks notebook source", True),
        ("a.py", "# Databricks notebook source\r\nx", True),
        ("a.py", "\ufeff# Databricks notebook source\nx", True),
        ("a.py", "x = 1\n# Databricks notebook source", False),
        ("a.py", "", False),
        ("a.sql", "-- Databricks notebook source\n", True),
        ("a.sql", "# Databricks notebook source\n", False),
        ("a.scala", "// Databricks notebook source\n", True),
        ("a.r", "# Databricks notebook source\n", True),
        ("a.ipynb", "{}", True),
        ("a.txt", "# Databricks notebook source\n", False),
    ],
)
def test_a_notebook_is_told_by_its_first_line(
    tmp_path: Path, name: str, content: str, expected: bool
) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode())
    assert is_notebook(file) is expected
    if file.suffix != ".ipynb":
        assert has_header(file.suffix, content.encode()) is expected


def test_a_notebook_is_found_with_and_without_its_extension(tmp_path: Path) -> None:
    (tmp_path / "nb.sql").write_text("-- Databricks notebook source\nselect 1")
    tree = Tree(tmp_path)
    for path in ("/nb", "/nb.sql", "/Workspace/nb"):
        found = tree.existing(path)
        assert (found.path, found.kind, found.language) == ("/nb", "NOTEBOOK", Language.SQL)


def test_an_object_keeps_its_id(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("1")
    first = Tree(tmp_path).existing("/f").info
    (tmp_path / "f").write_text("22")
    again = Tree(tmp_path).existing("/f").info
    assert first.object_id == again.object_id
    assert (first.size, again.size) == (1, 2)


def test_a_path_has_one_short_form(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.short("/Workspace/Users/x/") == tree.short("/Users/x") == "/Users/x"
    assert tree.short("/Workspace") == tree.short("/") == "/"
    with pytest.raises(InvalidParameterValue):
        tree.short("x")
    with pytest.raises(ResourceDoesNotExist):
        tree.existing("/nothing")


def test_a_form_is_taken_apart() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="path"\r\n\r\n/x\r\n'
        b'--b\r\nContent-Disposition: form-data; name="content"; filename="f"\r\n\r\n'
        b"\x00\xff\r\n\r\nend\r\n--b--\r\n"
    )
    parts = parts_of("multipart/form-data; boundary=b", body)
    assert parts == {"path": b"/x", "content": b"\x00\xff\r\n\r\nend"}

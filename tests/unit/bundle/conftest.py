"""Bundles made of text, for the tests of this room."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from laketop.bundle import Bundle, load

NOTEBOOK = "# Databricks notebook source\n"

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Write a bundle and load it: its root file as text, others by their path."""

    def make(text: str, files: Mapping[str, str] | None = None, **options: Any) -> Bundle:
        everything = {"databricks.yml": textwrap.dedent(text), **(files or {})}
        for name, content in everything.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return load(tmp_path, **options)

    return make

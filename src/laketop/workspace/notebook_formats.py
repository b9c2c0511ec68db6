"""Notebooks turned from one format into another: source, Jupyter, HTML, R Markdown.

Source: Databricks docs, "Export and import Databricks notebooks"; nbformat 4; the source format of
`runner.notebook_source`. What ran before is not kept, so no format holds results.
"""

from __future__ import annotations

import html
import json
from typing import Any

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Cell, Notebook, parse_jupyter, parse_source
from laketop.workspace import notebook_model, r_markdown

_STYLE = (
    "body{font-family:sans-serif;margin:2rem auto;max-width:60rem}"
    "pre{background:#8881;padding:.8rem;overflow:auto}figcaption{color:#888}"
)
_COMMENTS = {"python": "#", "sql": "--", "scala": "//", "r": "#"}
_OF_CELL = "application/vnd.databricks.v1+cell"
_OF_NOTEBOOK = "application/vnd.databricks.v1+notebook"


def to_jupyter(content: bytes, *, suffix: str, name: str) -> bytes:
    """Return a notebook's source as Jupyter's JSON; cells that are not Python keep their magic.

    Errors: ConfigError for what is no notebook.
    """
    found = parse_source(_text(content, name), suffix=suffix, file=name)
    about = {"language": found.language, "notebookName": name}
    written = {
        "cells": [_jupyter_cell(cell) for cell in found.cells],
        "metadata": {_OF_NOTEBOOK: about, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    return json.dumps(written, indent=1, ensure_ascii=False).encode()


def to_source(content: bytes, *, name: str) -> bytes:
    """Return a Jupyter notebook as the source of a notebook of Python.

    Errors: ConfigError for what is no notebook.
    """
    return source_of(parse_jupyter(_text(content, name), file=name))


def source_of(notebook: Notebook) -> bytes:
    """Return a notebook as a source file of its language."""
    mark = _COMMENTS[notebook.language]
    cells = f"\n\n{mark} COMMAND ----------\n\n".join(
        _source_cell(cell, notebook.language, mark) for cell in notebook.cells
    )
    return f"{mark} Databricks notebook source\n{cells}\n".encode()


def to_html(content: bytes, *, suffix: str, name: str) -> bytes:
    """Return a page that shows the cells of a notebook, and loads nothing from elsewhere.

    It holds the notebook's model too, from which an import makes the notebook again.
    Errors: ConfigError for what is no notebook.
    """
    found = parsed(content, suffix=suffix, name=name)
    cells = "\n".join(_figure(cell, found) for cell in found.cells)
    shown = html.escape(name)
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{shown}</title>'
        f"<style>{_STYLE}</style><script>{notebook_model.script_of(found, name)}</script></head>\n"
        f"<body><h1>{shown}</h1>\n{cells}\n</body></html>\n"
    ).encode()


def from_html(content: bytes, *, name: str) -> Notebook:
    """Return the notebook that an exported page holds. Errors: ConfigError for another page."""
    return notebook_model.read(_text(content, name), name)


def to_r_markdown(content: bytes, *, suffix: str, name: str) -> bytes:
    """Return a notebook as R Markdown. Errors: ConfigError for what is no notebook."""
    return r_markdown.written(parsed(content, suffix=suffix, name=name), name).encode()


def from_r_markdown(content: bytes, *, name: str) -> Notebook:
    """Return the notebook of R that is written as R Markdown. Errors: ConfigError for bytes."""
    return r_markdown.read(_text(content, name))


def parsed(content: bytes, *, suffix: str, name: str) -> Notebook:
    """Return the notebook that a file holds. Errors: ConfigError for what is no notebook."""
    text = _text(content, name)
    if suffix == ".ipynb":
        return parse_jupyter(text, file=name)
    return parse_source(text, suffix=suffix, file=name)


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name!r} is not a notebook: it is not UTF-8") from error


def _jupyter_cell(cell: Cell) -> dict[str, Any]:
    title = {_OF_CELL: {"title": cell.title, "showTitle": True}} if cell.title else {}
    if cell.language == "md":
        return {"cell_type": "markdown", "metadata": title, "source": _lines(cell.source)}
    text = cell.source if cell.language == "python" else f"%{cell.language}\n{cell.source}"
    code: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": title, "source": _lines(text), **code}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _source_cell(cell: Cell, language: str, mark: str) -> str:
    lines = cell.source.strip("\n").split("\n")
    # Magics that are IPython's own, such as %pip, are written like those of languages.
    is_magic = cell.source.lstrip().startswith(("%", "!")) and cell.language == "python"
    if cell.language != language:
        lines = [f"%{cell.language}", *lines]
    if cell.language != language or is_magic:
        lines = [f"{mark} MAGIC {line}" if line else f"{mark} MAGIC" for line in lines]
    return "\n".join(lines)


def _figure(cell: Cell, notebook: Notebook) -> str:
    told = [cell.title] if cell.title else []
    told += [cell.language] if cell.language != notebook.language else []
    caption = f"<figcaption>{html.escape(' · '.join(told))}</figcaption>" if told else ""
    return f"<figure>{caption}<pre>{html.escape(cell.source)}</pre></figure>"

"""The source formats of notebooks, read into cells.

Source: facts of the platform's source format: cells are split at `# COMMAND ----------`, a cell
of another language is written as `# MAGIC` lines, `# DBTITLE 1,Title` names a cell; .sql files
do the same with `--`. Jupyter files are nbformat 4, their outputs ignored.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from laketop.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_COMMENTS = {".py": "#", ".sql": "--", ".scala": "//", ".r": "#"}
_LANGUAGES = {".py": "python", ".sql": "sql", ".scala": "scala", ".r": "r", ".ipynb": "python"}
_LANGUAGE_MAGICS = frozenset({"python", "sql", "md", "md-sandbox", "sh", "r", "scala", "fs", "run"})
_HEADER = "Databricks notebook source"
_MAGIC = re.compile(r"%(?P<name>[a-z][a-z-]*)(?P<rest>\s.*)?\Z", re.DOTALL)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its language or magic, and the text below it."""

    language: str
    """python, sql, md, md-sandbox, sh, r, scala, fs or run."""
    source: str
    number: int
    """Counted from 1, empty cells left out."""
    title: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Notebook:
    """A notebook's cells in order; `language` is that of a cell without magic."""

    language: str
    cells: tuple[Cell, ...]


def read_notebook(file: Path) -> Notebook:
    """Return the notebook in `file`.

    Errors: ConfigError if the file is no notebook.
    """
    text = file.read_text(encoding="utf-8-sig")
    suffix = file.suffix.lower()
    if suffix == ".ipynb":
        return parse_jupyter(text, file=file.name)
    return parse_source(text, suffix=suffix, file=file.name)


def parse_source(text: str, *, suffix: str = ".py", file: str = "notebook") -> Notebook:
    r"""Return the notebook that is written as a source file with this suffix.

    >>> parse_source("# Databricks notebook source\n1 + 1\n# COMMAND ----------\n# MAGIC %md hi")
    ... # doctest: +NORMALIZE_WHITESPACE
    Notebook(language='python',
             cells=(Cell(language='python', source='1 + 1', number=1, title=None),
                    Cell(language='md', source='hi', number=2, title=None)))
    """
    comment = _COMMENTS.get(suffix)
    lines = text.splitlines()
    if comment is None or not lines or lines[0].rstrip() != f"{comment} {_HEADER}":
        raise ConfigError(
            f"{file!r} is not a notebook",
            hint=f"its first line must be '{comment or '#'} {_HEADER}'",
        )
    language = _LANGUAGES[suffix]
    pieces: list[list[str]] = [[]]
    split = re.compile(rf"{re.escape(comment)} COMMAND -+\s*\Z")
    for line in lines[1:]:
        if split.match(line):
            pieces.append([])
        else:
            pieces[-1].append(line)
    read = [_read_piece(piece, comment) for piece in pieces]
    return Notebook(language=language, cells=cells_of(read, language))


def parse_jupyter(text: str, *, file: str = "notebook") -> Notebook:
    """Return the notebook that is written as Jupyter's JSON, nbformat 4."""
    try:
        content = json.loads(text)
        if content["nbformat"] != 4:
            raise ConfigError(f"{file!r} has nbformat {content['nbformat']!r}, 4 is understood")
        texts = [_jupyter_text(cell) for cell in content["cells"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file!r} is not a Jupyter notebook: {error}") from error
    return Notebook(language="python", cells=cells_of([(text, None) for text in texts], "python"))


def _jupyter_text(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    return text if cell["cell_type"] == "code" else "%md\n" + text


def _read_piece(lines: list[str], comment: str) -> tuple[str, str | None]:
    magic = f"{comment} MAGIC"
    titled = re.compile(rf"{re.escape(comment)} DBTITLE \d+,\s*(?P<title>.*)")
    title = None
    kept = []
    for line in lines:
        found = titled.match(line)
        if found:
            title = found["title"].strip()
        elif line == magic or line.startswith(magic + " "):
            kept.append(line[len(magic) + 1 :])
        else:
            kept.append(line)
    return "\n".join(kept).strip("\n"), title


def cells_of(read: Sequence[tuple[str, str | None]], language: str) -> tuple[Cell, ...]:
    """Return the cells of texts with their titles, numbered; `language` is that without a magic."""
    cells: list[Cell] = []
    for text, title in read:
        if text.strip():
            cell_language, source = _split_magic(text, language)
            cells.append(
                Cell(language=cell_language, source=source, number=len(cells) + 1, title=title)
            )
    return tuple(cells)


def _split_magic(text: str, language: str) -> tuple[str, str]:
    # Comment lines may stand above the magic; other magics are IPython's, and stay in the text.
    code = re.sub(r"\A(?:\s*(?:#(?!!).*)?\n)*", "", text) if language == "python" else text.lstrip()
    found = _MAGIC.match(code)
    if found is None or found["name"] not in _LANGUAGE_MAGICS:
        return language, text
    return found["name"], (found["rest"] or "").strip(" \t").removeprefix("\n")

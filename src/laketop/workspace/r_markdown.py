"""Notebooks written as R Markdown: text is Markdown, code stands in chunks that name a language.

Source: R Markdown, "Code chunks" and "Other language engines".
"""

from __future__ import annotations

import json
import re

from laketop.runner.notebook_source import Cell, Notebook, cells_of

_ENGINES = {"sh": "bash"}
"""Engines that are called other than the magic is."""
_NAMES = {engine: name for name, engine in _ENGINES.items()}
_CHUNK = re.compile(
    r"^(?P<fence>`{3,})\{(?P<engine>[a-zA-Z-]+)[^}\n]*\}[ \t]*\n(?P<code>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_HEAD = re.compile(r"\A---\n.*?^---[ \t]*\n", re.MULTILINE | re.DOTALL)
_BETWEEN = "<!-- COMMAND ---------- -->"
"""What parts two cells of Markdown, which would be one."""


def written(notebook: Notebook, name: str) -> str:
    """Return a notebook as R Markdown."""
    parts = [f"---\ntitle: {json.dumps(name, ensure_ascii=False)}\n---"]
    before = ""
    for cell in notebook.cells:
        if cell.language == before == "md":
            parts.append(_BETWEEN)
        parts.append(cell.source.strip("\n") if cell.language == "md" else _chunk(cell))
        before = cell.language
    return "\n\n".join(parts) + "\n"


def _chunk(cell: Cell) -> str:
    code = cell.source.strip("\n")
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{{{_ENGINES.get(cell.language, cell.language)}}}\n{code}\n{fence}"


def read(text: str) -> Notebook:
    """Return the notebook of R that is written as R Markdown."""
    text = _HEAD.sub("", text.replace("\r\n", "\n"))
    texts, end = [], 0
    for chunk in _CHUNK.finditer(text):
        texts += _markdown(text[end : chunk.start()])
        engine = chunk["engine"].lower()
        magic = "" if engine == "r" else f"%{_NAMES.get(engine, engine)}\n"
        texts.append(magic + chunk["code"].rstrip("\n"))
        end = chunk.end()
    texts += _markdown(text[end:])
    return Notebook(language="r", cells=cells_of([(one, None) for one in texts], "r"))


def _markdown(text: str) -> list[str]:
    pieces = (piece.strip("\n") for piece in text.split(_BETWEEN))
    return [f"%md\n{piece}" for piece in pieces if piece.strip()]

"""The model of a notebook that its page of HTML holds, or its archive, as Databricks' exports do.

Source: exported pages set `__DATABRICKS_NOTEBOOK_MODEL` to the base64 of the percent-encoded JSON
of a `NotebookV1`, whose commands each have a position and a text with its magic.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import quote, unquote

from laketop.errors import ConfigError
from laketop.runner.notebook_source import Cell, Notebook, cells_of

_MODEL = re.compile(r"__DATABRICKS_NOTEBOOK_MODEL\s*=\s*['\"]([A-Za-z0-9+/=\s]+)['\"]")
_TOO_MUCH = (OverflowError, RecursionError)
LANGUAGES = ("python", "sql", "scala", "r")


def script_of(notebook: Notebook, name: str) -> str:
    """Return the line of JavaScript that sets the model, and does nothing else."""
    text = base64.b64encode(quote(written(notebook, name)).encode()).decode()
    return f"var __DATABRICKS_NOTEBOOK_MODEL = '{text}'"


def written(notebook: Notebook, name: str) -> str:
    """Return the model of a notebook, as JSON."""
    model = {
        "version": "NotebookV1",
        "name": name,
        "language": notebook.language,
        "commands": [_command(cell, notebook.language) for cell in notebook.cells],
    }
    return json.dumps(model)


def _command(cell: Cell, language: str) -> dict[str, Any]:
    magic = "" if cell.language == language else f"%{cell.language}\n"
    return {
        "version": "CommandV1",
        "subtype": "command",
        "commandType": "auto",
        "position": float(cell.number),
        "command": magic + cell.source,
        "commandTitle": cell.title or "",
        "showCommandTitle": bool(cell.title),
    }


def read(page: str, name: str) -> Notebook:
    """Return the notebook whose model a page holds.

    Errors: ConfigError for a page without one, or with one that cannot be read.
    """
    found = _MODEL.search(page)
    if found is None:
        raise ConfigError(
            f"{name!r} is not a notebook: the page holds no notebook's model",
            hint="import a page that Databricks or laketop has exported",
        )
    try:
        text = unquote(base64.b64decode(found[1]).decode())
    except ValueError as error:
        raise ConfigError(f"{name!r} is not a notebook: its model cannot be read") from error
    return notebook_of(text, name)


def notebook_of(text: str | bytes, name: str) -> Notebook:
    """Return the notebook of a model. Errors: ConfigError for one that cannot be read."""
    try:
        model = json.loads(text)
        language = model["language"]
        commands = sorted(model["commands"], key=lambda one: float(one["position"]))
        texts = [(str(one["command"]), one.get("commandTitle") or None) for one in commands]
        json.dumps(texts, ensure_ascii=False).encode()  # fails at half of a surrogate pair
    except (ValueError, KeyError, TypeError, AttributeError, *_TOO_MUCH) as error:
        raise ConfigError(f"{name!r} is not a notebook: its model cannot be read") from error
    if language not in LANGUAGES:
        raise ConfigError(f"{name!r} is not a notebook: it is written in {language!r}")
    return Notebook(language=language, cells=cells_of(texts, language))

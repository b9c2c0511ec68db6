"""What the project has settled, read from config.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def section(name: str) -> dict[str, Any]:
    """Return a section of config.toml.

    Errors: KeyError for a section that is not there.
    """
    text = files("flights").joinpath("config.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)[name]
    return found

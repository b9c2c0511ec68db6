"""`databricks.bundles.core`: what functions that make and change resources are given and give."""

from __future__ import annotations

from typing import Any

from laketop.shims.bundles import core

__all__ = list(core.NAMES)


def __getattr__(name: str) -> Any:
    return getattr(core, name)

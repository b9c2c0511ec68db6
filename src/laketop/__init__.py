"""The Databricks lakehouse on a laptop."""

from __future__ import annotations

from laketop._version import __version__
from laketop.errors import (
    ConfigError,
    EngineMissing,
    GateFailed,
    LaketopError,
    NotFound,
    Refused,
    TaskFailed,
)
from laketop.settings import Settings

__all__ = [
    "ConfigError",
    "EngineMissing",
    "GateFailed",
    "LaketopError",
    "NotFound",
    "Refused",
    "Settings",
    "TaskFailed",
    "__version__",
]

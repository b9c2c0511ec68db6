"""The Databricks lakehouse on a laptop."""

from __future__ import annotations

from laketop._version import __version__
from laketop.errors import (
    ConfigError,
    EngineMissing,
    ExpectationFailed,
    GateFailed,
    LaketopError,
    NotFound,
    Refused,
    Superseded,
    TaskFailed,
)

TYPE_CHECKING = False  # what a type checker takes for true; `typing` itself costs start-up
if TYPE_CHECKING:
    from laketop.settings import Settings

__all__ = [
    "ConfigError",
    "EngineMissing",
    "ExpectationFailed",
    "GateFailed",
    "LaketopError",
    "NotFound",
    "Refused",
    "Settings",
    "Superseded",
    "TaskFailed",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Load what costs time at its first use: the command line starts without it."""
    if name == "Settings":
        from laketop.settings import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The workspace's clock: everything in a workspace that asks the time asks it here."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the time of day. Units: ms since 1970, UTC."""


def wall_ms() -> int:
    """Return the machine's time of day. Units: ms since 1970, UTC."""
    return time.time_ns() // 1_000_000

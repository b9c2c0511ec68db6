"""The workspace's clock: everything in a workspace that asks the time asks it here."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the time of day. Units: ms since 1970, UTC."""


def wall_ms() -> int:
    """Return the machine's time of day. Units: ms since 1970, UTC."""
    return time.time_ns() // 1_000_000


class MovableClock:
    """A clock that runs as `machine` does, ahead of it or behind it by `offset_ms`."""

    def __init__(self, machine: Clock = wall_ms) -> None:
        self.machine = machine
        self.offset_ms = 0

    def __call__(self) -> int:
        """Return the time of day. Units: ms since 1970, UTC."""
        return self.machine() + self.offset_ms

    def move_to(self, now_ms: int) -> None:
        """Let it be `now_ms` now; from there the clock runs on."""
        self.offset_ms = now_ms - self.machine()

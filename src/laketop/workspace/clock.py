"""The workspace's clock: everything in a workspace that asks the time asks it here."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the time of day. Units: ms since 1970, UTC."""


def wall_ms() -> int:
    """Return the machine's time of day. Units: ms since 1970, UTC."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Return a time that goes on while the machine is awake, and never jumps. Units: ms."""
    return time.monotonic_ns() // 1_000_000


class MovableClock:
    """A clock that runs as `machine` does, ahead of it or behind it by `offset_ms`.

    `steady` is how long the machine has been awake, from whenever on.
    """

    def __init__(self, machine: Clock = wall_ms, steady: Clock = monotonic_ms) -> None:
        self.machine = machine
        self.steady = steady
        self.offset_ms = 0

    def __call__(self) -> int:
        """Return the time of day. Units: ms since 1970, UTC."""
        return self.machine() + self.offset_ms

    def steady_ms(self) -> int:
        """Return a time that jumps only where this clock is moved. Units: ms."""
        return self.steady() + self.offset_ms

    def unmoved(self) -> MovableClock:
        """Return another clock by the same machine, which has not been moved."""
        return MovableClock(self.machine, self.steady)

    def move_to(self, now_ms: int) -> None:
        """Let it be `now_ms` now; from there the clock runs on."""
        self.offset_ms = now_ms - self.machine()

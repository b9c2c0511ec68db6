"""A clock that goes on steadily, whatever becomes of the time of day: each run has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_JUMP_MS: Final = 1_000
"""What the two clocks differ by less is no jump: they are read one after the other."""


class SteadyClock:
    """Begins at the time of day of its making and follows `steady_ms` from there on.

    Timeouts, waits and durations are counted by it, so that a time of day that is set, or a laptop
    that sleeps, neither cuts nor prolongs them. Without `steady_ms` the time of day, `now_ms`, is
    steady itself. Units: epoch ms. Source: reliability R14.
    """

    def __init__(self, now_ms: Callable[[], int], steady_ms: Callable[[], int] | None) -> None:
        self._now_ms = now_ms
        self._steady_ms = now_ms if steady_ms is None else steady_ms
        self._is_one = steady_ms is None
        self._began_ms = 0 if self._is_one else now_ms() - self._steady_ms()

    def __call__(self) -> int:
        """Return the time by this clock."""
        return self._steady_ms() + self._began_ms

    def ahead_ms(self) -> int:
        """Return how far the time of day is ahead of it; negative where it is behind."""
        if self._is_one:
            return 0
        ahead = self._now_ms() - self()
        return ahead if abs(ahead) >= LEAST_JUMP_MS else 0

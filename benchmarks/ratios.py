"""Times two things in turns, in one run, and prints their ratio: seconds alone mean little."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int,
    goal: float,
) -> float:
    """Run both `rounds` times in turns, print and return the median of ours ÷ theirs."""
    pairs = []
    for number in range(rounds):
        first, second = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        took = {first: _seconds(first)}
        took[second] = _seconds(second)
        pairs.append((took[ours], took[theirs]))
    ratios = sorted(a / b for a, b in pairs)
    median = statistics.median(ratios)
    print(
        f"{name}: ratio {median:.3f} (from {ratios[0]:.3f} to {ratios[-1]:.3f},"
        f" {rounds} rounds, goal at most {goal:g}; medians"
        f" {statistics.median(a for a, _ in pairs):.2f} s ÷"
        f" {statistics.median(b for _, b in pairs):.2f} s)",
        flush=True,
    )
    return median


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began

"""Times two things in turns, in one run, and prints their ratio: seconds alone mean little.

Each goal is told as met or MISSED, and a benchmark that `run` ran ends with 1 if one was missed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

_missed: list[str] = []


def run(main: Callable[[], None]) -> None:
    """Run a benchmark; end the process with 1, and with what was missed, if a goal was."""
    main()
    if _missed:
        raise SystemExit(f"missed: {'; '.join(_missed)}")


def judge(name: str, measured: float, *, goal: float, told: str = "") -> None:
    """Print what was measured, and whether it is at most `goal`."""
    is_met = measured <= goal
    if not is_met:
        _missed.append(name)
    print(
        f"{name}: {measured:.3f}, goal at most {goal:g}, {'met' if is_met else 'MISSED'}"
        f"{f' ({told})' if told else ''}",
        flush=True,
    )


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
        took = {first: seconds(first)}
        took[second] = seconds(second)
        pairs.append((took[ours], took[theirs]))
    ratios = sorted(a / b for a, b in pairs)
    median = statistics.median(ratios)
    judge(
        f"{name}: ratio",
        median,
        goal=goal,
        told=f"from {ratios[0]:.3f} to {ratios[-1]:.3f}, {rounds} rounds; medians"
        f" {statistics.median(a for a, _ in pairs):.2f} s ÷"
        f" {statistics.median(b for _, b in pairs):.2f} s",
    )
    return median


def seconds(act: Callable[[], object]) -> float:
    """Return how long an act took."""
    began = time.monotonic()
    act()
    return time.monotonic() - began

"""The clock of runs, by two clocks that are moved by hand."""

from __future__ import annotations

import pytest

from laketop.runner.steady_clock import LEAST_JUMP_MS, SteadyClock


class Machine:
    """A time of day, and how long the machine has been awake."""

    def __init__(self) -> None:
        self.wall_ms = 1_000_000
        self.awake_ms = 7_000

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall_ms, lambda: self.awake_ms)


def test_it_begins_at_the_time_of_day_and_goes_on_with_what_is_steady() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock() == 1_000_000
    machine.awake_ms += 250
    assert clock() == 1_000_250


@pytest.mark.parametrize("jump_ms", [-86_400_000, -3_600_000, LEAST_JUMP_MS, 86_400_000])
def test_a_time_of_day_that_jumps_does_not_move_it(jump_ms: int) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall_ms += jump_ms
    assert (clock(), clock.ahead_ms()) == (1_000_000, jump_ms)


def test_two_clocks_that_are_read_one_after_the_other_differ_by_no_jump() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall_ms += LEAST_JUMP_MS - 1
    assert clock.ahead_ms() == 0


def test_a_time_of_day_that_is_steady_itself_is_enough() -> None:
    times = iter([5, 6])
    clock = SteadyClock(lambda: next(times), None)
    assert (clock(), clock.ahead_ms(), clock()) == (5, 0, 6)

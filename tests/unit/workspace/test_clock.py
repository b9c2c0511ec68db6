from __future__ import annotations

from laketop.workspace.clock import MovableClock


def test_a_moved_clock_runs_on_as_the_machine_does() -> None:
    machine = iter([1_000, 1_000, 1_500, 2_000])
    clock = MovableClock(machine.__next__)
    assert clock() == 1_000
    clock.move_to(50_000)
    assert clock.offset_ms == 49_000
    assert clock() == 50_500
    clock.offset_ms = 0
    assert clock() == 2_000

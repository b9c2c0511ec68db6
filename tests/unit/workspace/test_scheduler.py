"""The scheduler with a clock that is moved by hand; its runs are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laketop.runner.paths import Places
from laketop.workspace import scheduler
from laketop.workspace.clock import MovableClock
from laketop.workspace.scheduler import Scheduler
from laketop.workspace.store import Store
from laketop.workspace.triggers import FIRST_BACK_OFF_MS, Ended

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Bench:
    """A scheduler, what its machine's clocks say, and the runs that it has started."""

    def __init__(self, folder: Path) -> None:
        self.wall_ms = 100 * DAY_MS
        self.awake_ms = 7
        self.started: list[int] = []
        self.started_ms: list[int] = []
        self.ends: dict[int, Ended] = {}
        self.store = Store(folder / "laketop.db")
        self.places = Places.of_state(folder)
        self.scheduler = Scheduler(
            self.store,
            self.places,
            MovableClock(lambda: self.wall_ms, lambda: self.awake_ms),
            models=folder / "models.db",
            start=lambda job_id, _: self._start(job_id),
            end_of=self.ends.get,
            keep_clock=lambda: None,
            skip_late=lambda: None,
        )
        with self.store.transaction(write=True):
            for statement in scheduler.SCHEMA:
                self.store.execute(statement)

    def follow(self, **settings: Any) -> None:
        with self.store.transaction(write=True):
            self.scheduler.follow(1, settings)

    def _start(self, job_id: int) -> int:
        self.started.append(job_id)
        self.started_ms.append(self.wall_ms)
        return len(self.started)

    def pass_on(self, by_ms: int, *, jump_ms: int = 0) -> None:
        self.awake_ms += by_ms
        self.wall_ms += by_ms + jump_ms
        self.scheduler.look(self.wall_ms)
        self.scheduler.fire(self.wall_ms, is_late_once=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -HOUR_MS, 0, HOUR_MS, DAY_MS])
def test_a_continuous_job_backs_off_as_long_whatever_the_time_of_day_does(
    bench: Bench, jump_ms: int
) -> None:
    bench.follow(continuous={})
    bench.pass_on(0)
    assert len(bench.started) == 1
    at_ms = bench.wall_ms
    bench.ends[1] = Ended(result="FAILED", start_ms=at_ms, end_ms=at_ms)
    bench.pass_on(1_000)
    bench.pass_on(1_000, jump_ms=jump_ms)
    bench.pass_on(FIRST_BACK_OFF_MS - 2_001)
    assert len(bench.started) == 1
    bench.pass_on(1)
    assert len(bench.started) == 2


def test_a_continuous_job_waits_no_longer_where_its_clock_is_moved(bench: Bench) -> None:
    bench.follow(continuous={})
    bench.pass_on(0)
    at_ms = bench.wall_ms
    bench.ends[1] = Ended(result="FAILED", start_ms=at_ms, end_ms=at_ms)
    bench.pass_on(0)
    clock = bench.scheduler.clock
    clock.move_to(clock() + FIRST_BACK_OFF_MS)
    bench.scheduler.look(clock())
    bench.scheduler.fire(clock(), is_late_once=True)
    assert len(bench.started) == 2


HOURLY = {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC"}


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -HOUR_MS, 0, HOUR_MS, DAY_MS])
def test_an_interval_passes_whatever_the_time_of_day_does(bench: Bench, jump_ms: int) -> None:
    bench.follow(trigger={"periodic": {"interval": 1, "unit": "HOURS"}})
    bench.pass_on(HOUR_MS)
    bench.pass_on(HOUR_MS // 2, jump_ms=jump_ms)
    late = 1 if jump_ms > 0 else 0  # as after a laptop has slept
    assert len(bench.started) == 1 + late
    for _ in range(24):
        bench.pass_on(HOUR_MS // 2)
    assert len(bench.started) == 13 + late


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -HOUR_MS, 0, HOUR_MS, DAY_MS])
def test_a_schedule_follows_the_time_of_day_and_fires_no_hour_twice(
    bench: Bench, jump_ms: int
) -> None:
    bench.follow(schedule=HOURLY)
    bench.pass_on(HOUR_MS)
    bench.pass_on(HOUR_MS // 2, jump_ms=jump_ms)
    for _ in range(24):
        bench.pass_on(HOUR_MS // 2)
    again = 1 if jump_ms == -HOUR_MS else 0  # the hour that it had fired for comes once more
    late = 1 if jump_ms > 0 else 0
    assert len(bench.started) == 13 + late - again
    assert len(set(bench.started_ms)) == len(bench.started_ms)


@pytest.mark.parametrize("jump_ms", [-DAY_MS, -HOUR_MS, 0])
def test_files_that_have_come_are_waited_for_no_longer_where_the_clock_goes_back(
    bench: Bench, jump_ms: int
) -> None:
    inbox = bench.places.dbfs / "inbox"
    inbox.mkdir(parents=True)
    bench.follow(
        trigger={"file_arrival": {"url": "dbfs:/inbox", "wait_after_last_change_seconds": 3600}},
    )
    bench.pass_on(1_000)
    (inbox / "new").touch()
    bench.pass_on(1_000)
    bench.pass_on(1_000, jump_ms=jump_ms)
    bench.pass_on(HOUR_MS - 2_000)
    assert not bench.started
    bench.pass_on(1_000)
    assert len(bench.started) == 1


def test_a_clock_that_drifts_about_the_least_jump_does_not_hasten_an_interval(
    bench: Bench,
) -> None:
    bench.follow(trigger={"periodic": {"interval": 1, "unit": "HOURS"}})
    bench.pass_on(0)
    for number in range(600):
        bench.pass_on(1_000, jump_ms=-1_001 if number == 0 else (-1) ** number * 2)
    bench.pass_on(HOUR_MS - 700_000)
    assert not bench.started
    bench.pass_on(110_000)
    assert len(bench.started) == 1

"""Moves the workspace's clock ahead and fires what lies between, in order."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from typing import Protocol

from laketop.workspace.clock import MovableClock
from laketop.workspace.scheduler import Scheduler

_LOOK_SECONDS = 0.02

log = logging.getLogger("laketop.workspace")


class Runs(Protocol):
    """The runs that are not final yet, as `Dispatcher` has them."""

    def wait_until_quiet(self, stop: threading.Event) -> None:
        """Wait until what is left only waits for the clock, or is `stop`ped."""

    def due_ms(self) -> int | None:
        """Return when a run that waits for the clock goes on."""

    def wake(self) -> None:
        """Let every run look at the clock."""


@dataclasses.dataclass
class Replay:
    """One move of the clock: to `target_ms`, or through `firings` firings of triggers."""

    target_ms: int | None = None
    firings: int | None = None
    runs: list[int] = dataclasses.field(default_factory=list)
    """Those that were started, in order."""
    error: str = ""
    is_over: bool = False


class Replayer:
    """Carries out one move of the clock at a time, in a thread of its own.

    Between two times it waits until everything that was started has ended, or waits for the
    clock itself (a retry, a time limit); `keep_clock` writes down what time it is.
    """

    def __init__(
        self,
        clock: MovableClock,
        scheduler: Scheduler,
        runs: Callable[[], Runs],
        keep_clock: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._runs = runs
        self._keep_clock = keep_clock
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.last: Replay | None = None

    @property
    def is_moving(self) -> bool:
        """Whether a move is under way."""
        return self.last is not None and not self.last.is_over

    def start(self, replay: Replay) -> bool:
        """Begin a move, unless one is under way; return whether it began."""
        with self._guard:
            if self.is_moving:
                return False
            self._stop.clear()
            self.last = replay
        self._thread = threading.Thread(target=self._run, args=(replay,), name="laketop-replay")
        self._thread.daemon = True
        self._thread.start()
        return True

    def stop_soon(self) -> None:
        """Ask for the end of the move that is under way, where it is."""
        self._stop.set()

    def stop(self) -> None:
        """End the move that is under way, and wait for that."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, replay: Replay) -> None:
        try:
            with self._scheduler.turn:
                self._move(replay)
        except Exception as error:
            log.exception("the clock could not be moved")
            replay.error = f"{type(error).__name__}: {error}"
        finally:
            replay.is_over = True
            self._scheduler.wake()

    def _move(self, replay: Replay) -> None:
        self._settle()
        while not self._stop.is_set() and len(replay.runs) < (replay.firings or 2**63):
            due_ms = self._next_ms()
            if due_ms is None and replay.firings and self._scheduler.keeps_a_run:
                self._stop.wait(_LOOK_SECONDS)
                self._scheduler.look(self._clock())
                continue
            if due_ms is None or (replay.target_ms is not None and due_ms > replay.target_ms):
                break
            self._jump(due_ms)
            replay.runs += self._scheduler.fire(due_ms, is_late_once=False)
            self._settle()
        if not self._stop.is_set() and replay.target_ms is not None:
            self._jump(replay.target_ms)
            self._settle()
        self._keep_clock()

    def _next_ms(self) -> int | None:
        due = (self._scheduler.due_ms(), self._runs().due_ms())
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def _jump(self, at_ms: int) -> None:
        # The clock runs on while tasks do: what took longer than the gap is not taken back.
        if at_ms > self._clock():
            self._clock.move_to(at_ms)
            fires_ms = self._scheduler.due_ms()
            if fires_ms is None or fires_ms > at_ms:  # a firing writes it down itself
                self._keep_clock()
            self._runs().wake()

    def _settle(self) -> None:
        self._runs().wait_until_quiet(self._stop)
        self._scheduler.look(self._clock())

"""Faults on purpose: attempts that crash, start late, come twice, or whose answer is lost.

What happens to an attempt follows from the seed, the task and the attempt's number alone, so a
seed can be run again. After two failures a task is left in peace: `max_retries: 2` copes.
"""

from __future__ import annotations

import dataclasses
import json
import random
import threading
from typing import TYPE_CHECKING, Any, Final

from laketop.runner.context import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from laketop.runner.context import TaskContext, TaskType
    from laketop.runner.execute import Site

MOST_FAILURES: Final = 2
"""How many attempts of one task chaos lets fail."""
NOTES_FILE: Final = "chaos.jsonl"
_LATE: Final = 0.35
_TWICE: Final = 0.2
_CRASH: Final = 0.3
_LOST: Final = 0.15
_STEP_SECONDS: Final = 0.1
_LATEST_STEPS: Final = 10
_CRASH_STEPS: Final = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fate:
    """What happens to one attempt. Units: seconds."""

    late_seconds: float = 0.0
    is_twice: bool = False
    crash_seconds: float | None = None
    """After so long its process is killed."""
    is_lost: bool = False
    """It does its work, and nobody hears of it."""

    def told(self) -> list[str]:
        """Return what happens, in words."""
        words = [f"it starts {self.late_seconds:.1f} s late"] if self.late_seconds else []
        words += ["it is delivered twice"] if self.is_twice else []
        if self.crash_seconds is not None:
            words.append(f"it crashes after {self.crash_seconds:.1f} s")
        return [*words, "its answer is lost"] if self.is_lost else words


def fate(seed: int, task_key: str, place: str, attempt: int, *, waits: bool = False) -> Fate:
    """Return what happens to an attempt; to a task that only `waits`, at most a late start."""
    draw = random.Random(f"{seed}/{task_key}/{place}/{attempt}")  # noqa: S311 - to be repeated
    late, twice, fails = draw.random(), draw.random(), draw.random()
    late_seconds = draw.randint(1, _LATEST_STEPS) * _STEP_SECONDS if late < _LATE else 0.0
    crash_seconds = draw.randint(1, _CRASH_STEPS) * _STEP_SECONDS
    if waits:
        return Fate(late_seconds=late_seconds)
    may_fail = attempt < MOST_FAILURES
    return Fate(
        late_seconds=late_seconds,
        is_twice=twice < _TWICE,
        crash_seconds=crash_seconds if may_fail and fails < _CRASH else None,
        is_lost=may_fail and _CRASH <= fails < _CRASH + _LOST,
    )


def chaotic(site: Site, seed: int, folder: Path) -> Site:
    """Return the site with every attempt given over to chaos; what it does is noted in `folder`."""
    notes = _Notes(folder / NOTES_FILE)
    types = {name: _Chaotic(type_, seed, notes.add) for name, type_ in site.types.items()}
    return dataclasses.replace(site, types=types)


class _Notes:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._guard = threading.Lock()

    def add(self, note: Mapping[str, Any]) -> None:
        with self._guard:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(note) + "\n")


class _Chaotic:
    def __init__(
        self, type_: TaskType, seed: int, note: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._type = type_
        self._seed = seed
        self._note = note
        self.waits = getattr(type_, "waits", False)

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        found = fate(self._seed, context.task_key, context.place, context.attempt, waits=self.waits)
        for did in found.told():
            self._note(
                {
                    "task_key": context.task_key,
                    "place": context.place,
                    "attempt": context.attempt,
                    "did": did,
                }
            )
        context.cancelled.wait(found.late_seconds)
        if found.is_twice and not context.cancelled.is_set():
            again = context.directory / "delivered-before"
            again.mkdir(exist_ok=True, mode=0o700)
            self._type.run(task, dataclasses.replace(context, directory=again))
        if found.crash_seconds is not None:
            return self._crashed(task, context, found.crash_seconds)
        outcome = self._type.run(task, context)
        if found.is_lost and outcome.result_state == "SUCCESS":
            return Outcome("FAILED", error=f"chaos with seed {self._seed}: the answer was lost")
        return outcome

    def _crashed(self, task: Mapping[str, Any], context: TaskContext, seconds: float) -> Outcome:
        killed = threading.Event()

        def kill() -> None:
            context.cancelled.wait(seconds)
            killed.set()

        threading.Thread(target=kill, name="laketop-chaos", daemon=True).start()
        self._type.run(task, dataclasses.replace(context, cancelled=killed))
        return Outcome("FAILED", error=f"chaos with seed {self._seed}: the process was killed")

"""What a task said last that goes on and says nothing more: often what it waits for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from laketop.cli._graph import latest, word_of
from laketop.errors import printable

SILENT_SECONDS = 15.0


@dataclasses.dataclass
class _Printed:
    count: int = 0
    line: str = ""


class Silence:
    """Tells, once, the last line of each running task that has printed nothing for a while.

    `log` returns what the run of a task has printed from a byte on, `started_by` the run that a
    task of the type run_job has started, None where it is none.
    """

    def __init__(
        self,
        log: Callable[[int, int], bytes],
        started_by: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
    ) -> None:
        self._log = log
        self._started_by = started_by
        self._printed: dict[int, _Printed] = {}
        self._due = 0.0

    def look(self, run: Mapping[str, Any], now: float) -> Iterator[str]:
        """Return the lines to tell; `now` is in seconds, of any clock that never goes back."""
        if now < self._due:
            return
        self._due = now + SILENT_SECONDS
        yield from self._lines(run, "")

    def _lines(self, run: Mapping[str, Any], within: str) -> Iterator[str]:
        for task in latest(run):
            if word_of(task) != "RUNNING":
                continue
            name = f"{within}{task['task_key']}"
            if (started := self._started_by(task)) is not None:
                yield from self._lines(started, f"{name} > ")
            elif line := self._unheard(task["run_id"]):
                yield f"  {name}, still running, said last: {printable(line)}"

    def _unheard(self, task_run: int) -> str:
        """Return the last line of what was there at the last look already, the first time only."""
        told = self._printed.setdefault(task_run, _Printed())
        if new := self._log(task_run, told.count):
            told.count += len(new)
            lines = new.decode("utf-8", errors="replace").strip().splitlines()
            told.line = lines[-1].strip() if lines else told.line
            return ""
        line, told.line = told.line, ""
        return line

"""How much memory a tree of processes holds, and its peak while a block of code runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

_PROCESSES = Path("/proc")
_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def held(roots: Iterable[int]) -> int:
    """Return the bytes that `roots` and their descendants hold, pages that they share once.

    0 where the system has no /proc. Source: proc_pid_smaps(5), the proportional set size.
    """
    children: dict[int, list[int]] = {}
    for folder in _PROCESSES.glob("[0-9]*"):
        # "pid (name) state parent …": the name may hold anything, brackets too.
        fields = _text(folder / "stat").rpartition(")")[2].split()
        if fields:
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    total, seen, open_ = 0, set[int](), list(roots)
    while open_:
        pid = open_.pop()
        if pid not in seen:
            seen.add(pid)
            open_ += children.get(pid, [])
            found = _PROPORTIONAL.search(_text(_PROCESSES / str(pid) / "smaps_rollup"))
            total += 1024 * int(found[1]) if found else 0
    return total


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # the process has ended meanwhile
        return ""


class Peak:
    """Looks every few seconds, in a thread, at what the processes that `roots` names hold.

    A look walks every page of theirs, a tenth of a second for the four gigabytes of a demo.
    """

    def __init__(self, roots: Callable[[], Iterable[int]], every_seconds: float = 4.0) -> None:
        self.bytes = 0
        self._roots = roots
        self._every_seconds = every_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, held(self._roots()))
            if self._ended.wait(self._every_seconds):
                return

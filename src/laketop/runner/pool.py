"""A bounded number of threads, shared by everything that starts processes."""

from __future__ import annotations

import collections
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pool:
    """Runs what it is given, in order, at most `size` at a time; 0 = one for each core.

    Its threads are daemons, and end as soon as there is nothing left to do: a process that
    ends does not wait for them, since the guards of their children notice its end.
    """

    def __init__(self, size: int = 0) -> None:
        self.size = size or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._waiting: collections.deque[Callable[[], None]] = collections.deque()
        self._threads = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work`, which must not raise, as soon as a thread is free."""
        with self._lock:
            self._waiting.append(work)
            if self._threads == self.size:
                return
            self._threads += 1
        threading.Thread(target=self._labour, name="laketop-task", daemon=True).start()

    def withdraw(self, work: Callable[[], None]) -> bool:
        """Take `work` back; False if it has begun."""
        with self._lock:
            if work not in self._waiting:
                return False
            self._waiting.remove(work)
            return True

    def _labour(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                work = self._waiting.popleft()
            work()

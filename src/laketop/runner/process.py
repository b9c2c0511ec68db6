"""One child process: started, logged, stopped, and nothing of it left behind."""

from __future__ import annotations

import dataclasses
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

GRACE_SECONDS = 10.0
"""From TERM to KILL."""
POLL_SECONDS = 0.05
_GUARD = Path(__file__).with_name("guard.py")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended; `exit_code` is minus the number of the signal that killed it."""

    exit_code: int
    cancelled: bool = False
    timed_out: bool = False


def run_process(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
    cancelled: threading.Event,
    timeout_seconds: float = 0,
    grace_seconds: float = GRACE_SECONDS,
    started: Callable[[int], None] | None = None,
) -> Ended:
    """Run a program until it ends, is cancelled or out of time; return how it ended.

    Both its outputs go to the end of `log`, as they come; its input is empty. It is stopped by
    TERM, then KILL, sent to it and to all that it started; what it leaves running at its end is
    stopped too, and so is everything when the calling process is killed. `started` is handed
    the process id, which is also the id of its group.
    Units: `timeout_seconds` 0 = none.
    Errors: OSError if the program or `cwd` cannot be used; nothing was started then.
    """
    if cancelled.is_set():
        return Ended(exit_code=-signal.SIGTERM, cancelled=True)
    deadline = time.monotonic() + timeout_seconds if timeout_seconds else None
    child = code = None
    stop = ""
    with log.open("ab") as output, _guarded(argv, cwd, environment, output, grace_seconds) as guard:
        for word, number in _report(guard):
            if word == "refused":
                raise OSError(number, os.strerror(number), argv[0])
            if word == "started":
                child = number
                if started is not None:
                    started(child)
            elif word == "ended":
                code = number
            elif not stop:
                stop = _reason_to_stop(cancelled, deadline)
                if stop and guard.stdin is not None:
                    guard.stdin.close()
    if code is None and child is not None:
        _kill_group(child)
    return Ended(
        exit_code=-signal.SIGKILL if code is None else code,
        cancelled=stop == "cancelled",
        timed_out=stop == "timed out",
    )


def _guarded(
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    output: IO[bytes],
    grace_seconds: float,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARD), str(grace_seconds), *argv],
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        bufsize=0,
        start_new_session=True,  # Ctrl-C in a terminal reaches the workspace alone, which decides
    )


def _report(guard: subprocess.Popen[bytes]) -> Iterator[tuple[str, int]]:
    # ("waiting", 0) whenever the guard has said nothing for a while.
    if guard.stdout is None:
        return
    unread = b""
    with selectors.DefaultSelector() as selector:
        selector.register(guard.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(POLL_SECONDS):
                yield "waiting", 0
                continue
            read = guard.stdout.read(4096)
            if not read:
                return
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                word, number = line.decode().split()
                yield word, int(number)


def _reason_to_stop(cancelled: threading.Event, deadline: float | None) -> str:
    if cancelled.is_set():
        return "cancelled"
    if deadline is not None and time.monotonic() >= deadline:
        return "timed out"
    return ""


def _kill_group(process: int) -> None:
    # The guard was killed. On Linux the program died with it, elsewhere this ends it.
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return

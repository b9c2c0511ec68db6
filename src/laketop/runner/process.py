"""One child process: started, logged, stopped, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from laketop.runner.redaction import pump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from laketop.runner.redaction import Redaction

GRACE_SECONDS = 10.0
"""From TERM to KILL."""
MOST_OUTPUT_BYTES = 64 * 1024 * 1024
"""What is kept of the output of a process, beside the last 5 MB of a longer one."""
POLL_SECONDS = 0.05
_GUARD = Path(__file__).with_name("guard.py")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended; `exit_code` is minus the number of the signal that killed it."""

    exit_code: int
    cancelled: bool = False
    timed_out: bool = False


@dataclasses.dataclass(frozen=True)
class Order:
    """A program to be run under a guard."""

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    grace_seconds: float
    most_bytes: int


class Fork(Protocol):
    """Another way to start a guard: from a process that has the program's imports done."""

    def __call__(self, order: Order, files: tuple[int, int, int]) -> bool:
        """Start a guard with these as its input, output and log; return False if it cannot."""
        ...


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
    fork: Fork | None = None,
    most_output_bytes: int = MOST_OUTPUT_BYTES,
    redaction: Redaction | None = None,
) -> Ended:
    """Run a program until it ends, is cancelled or out of time; return how it ended.

    Both its outputs go to the end of `log`, as they come, and are cut where they are longer than
    `most_output_bytes`, but for their end; its input is empty. It is stopped by
    TERM, then KILL, sent to it and to all that it started; what it leaves running at its end is
    stopped too, and so is everything when the calling process is killed. `started` is handed
    the process id, which is also the id of its group. `fork` may start the guard in its own way.
    The secrets that `redaction` knows stay out of the log.
    Units: `timeout_seconds` 0 = none.
    Errors: OSError if the program or `cwd` cannot be used; nothing was started then.
    """
    if cancelled.is_set():
        return Ended(exit_code=-signal.SIGTERM, cancelled=True)
    deadline = time.monotonic() + timeout_seconds if timeout_seconds else None
    order = Order(tuple(argv), cwd, dict(environment), grace_seconds, most_output_bytes)

    def reason_to_stop() -> str:
        return _reason_to_stop(cancelled, deadline)

    with _opened(log, redaction) as output:
        child, code, stop = _followed(order, output, fork, reason_to_stop, started)
        if child is None and not stop and fork is not None:  # what was to fork it was just killed
            child, code, stop = _followed(order, output, None, reason_to_stop, started)
    if code is None and child is not None:
        _kill_group(child)
    return Ended(
        exit_code=-signal.SIGKILL if code is None else code,
        cancelled=stop == "cancelled",
        timed_out=stop == "timed out",
    )


@contextlib.contextmanager
def _opened(log: Path, redaction: Redaction | None) -> Iterator[IO[bytes]]:
    with log.open("ab") as file:
        if redaction is None:
            yield file
            return
        source, sink = os.pipe()
        reader = threading.Thread(target=pump, args=(source, file.fileno(), redaction))
        reader.start()
        try:
            with os.fdopen(sink, "wb") as output:
                yield output
        finally:
            reader.join()  # nothing that could write is left: the guard has ended all of it
            os.close(source)


def _followed(
    order: Order,
    output: IO[bytes],
    fork: Fork | None,
    reason_to_stop: Callable[[], str],
    started: Callable[[int], None] | None,
) -> tuple[int | None, int | None, str]:
    # The process and its exit code, as far as the guard told of them, and why it was stopped.
    child = code = None
    stop = ""
    with _guarded(order, output, fork) as guard:
        for word, number in _report(guard.report):
            if word == "refused":
                raise OSError(number, os.strerror(number), order.argv[0])
            if word == "started":
                child = number
                if started is not None:
                    started(child)
            elif word == "ended":
                code = number
            elif not stop:
                stop = reason_to_stop()
                if stop:
                    guard.tell_to_stop()
    return child, code, stop


class _Guard:
    """Our ends of the two pipes to a guard: the report it writes, and the wish that it end."""

    def __init__(self, report: int, wish: int) -> None:
        self.report = report
        self._wish = wish

    def tell_to_stop(self) -> None:
        """Close the guard's input, which it takes as the order to end its program."""
        if self._wish >= 0:
            os.close(self._wish)
            self._wish = -1


@contextlib.contextmanager
def _guarded(order: Order, output: IO[bytes], fork: Fork | None) -> Iterator[_Guard]:
    their_input, wish = os.pipe()
    report, their_output = os.pipe()
    guard = _Guard(report, wish)
    process = None
    try:
        try:
            if fork is None or not fork(order, (their_input, their_output, output.fileno())):
                process = _started(order, their_input, their_output, output)
        finally:
            os.close(their_input)
            os.close(their_output)
        yield guard
    finally:
        guard.tell_to_stop()
        os.close(report)
        if process is not None:
            process.wait()


def _started(
    order: Order, their_input: int, their_output: int, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARD), *limits_of(order), *order.argv],
        cwd=order.cwd,
        env=order.environment,
        stdin=their_input,
        stdout=their_output,
        stderr=output,
        start_new_session=True,  # Ctrl-C in a terminal reaches the workspace alone, which decides
    )


def limits_of(order: Order) -> list[str]:
    """Return the first arguments of a guard."""
    return [str(order.grace_seconds), str(order.most_bytes)]


def _report(report: int) -> Iterator[tuple[str, int]]:
    # ("waiting", 0) whenever the guard has said nothing for a while.
    unread = b""
    with selectors.DefaultSelector() as selector:
        selector.register(report, selectors.EVENT_READ)
        while True:
            if not selector.select(POLL_SECONDS):
                yield "waiting", 0
                continue
            read = os.read(report, 4096)
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

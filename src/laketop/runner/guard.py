"""The process between the workspace and a task: it leaves nothing of the task behind.

Run by file name as `python -I -S guard.py GRACE_SECONDS MOST_BYTES PROGRAM ARGUMENT...`, so it
imports only what loads in milliseconds; or called in a process that `forkserver` has forked, with
no program: its child is the task then. Standard input is a pipe that the workspace holds open: when
it ends, by wish or because the workspace was killed, the task is told to stop, then killed.
Standard output is the report: `started PID`, then `ended CODE`; or `refused ERRNO` alone where
the program could not be started. Standard error is the log, into which the output of the task is
copied, up to MOST_BYTES and then, at its end, its last megabytes: it cannot fill the disk.

Source: prctl(2) for the two Linux calls: orphans of the task become children of the guard, so
that none escapes by leaving the group, and the task dies with a guard that was killed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEFTOVER_GRACE_SECONDS = 1.0
KILL_PATIENCE_SECONDS = 10.0
TAIL_BYTES = 5 * 1024 * 1024
"""What is kept of the end of an output that was cut: as much as `runs/get-output` tells."""
_BLOCK_BYTES = 65536
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"
_INPUT, _REPORT, _LOG = 0, 1, 2


def main(arguments: list[str]) -> bool:
    """Run one program until it ends or standard input does, and report both.

    Without a program it returns twice: at once and True in the child, which is what is guarded.
    """
    grace_seconds = float(arguments[0])
    wakeup = _wake_on_signals()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    source, sink = os.pipe()
    child, errno = _start(arguments[2:], sink)
    if child == 0:
        return True
    os.close(sink)
    if errno:
        _report(f"refused {errno}")
        return False
    _report(f"started {child}")
    output = Output(source, _LOG, int(arguments[1]))
    code = _wait(child, wakeup, output)
    patience_seconds = grace_seconds if code is None else LEFTOVER_GRACE_SECONDS
    code = _end(child, code, output, kill_at=time.monotonic() + patience_seconds)
    output.finish()
    _report(f"ended {-signal.SIGKILL if code is None else code}")
    return False


class Output:
    """What a task writes, copied from a pipe to its log as it comes, and cut where it is too long.

    The log gets the first `most_bytes`, a line that says so, and at the end the last 5 MB. What
    does not fit on the disk is lost, and the task goes on.
    """

    def __init__(self, source: int, log: int, most_bytes: int) -> None:
        self.source = source
        """Where it comes from, -1 once nobody is left to write."""
        self._log = log
        self._room = most_bytes
        self._most = most_bytes
        self._is_cut = False
        self._tail = bytearray()
        self._left_out = 0
        os.set_blocking(source, False)

    def copy(self) -> bool:
        """Copy what is there by now, a block at most; return whether there was something."""
        if self.source < 0:
            return False
        try:
            block = os.read(self.source, _BLOCK_BYTES)
        except BlockingIOError:
            return False
        if not block:
            os.close(self.source)
            self.source = -1
            return False
        self._take(block)
        return True

    def wait(self, seconds: float) -> None:
        """Copy what comes, for so many seconds at most."""
        if self.source < 0:
            time.sleep(seconds)
        elif select.select([self.source], [], [], seconds)[0]:
            self.copy()

    def finish(self) -> None:
        """Copy what is left in the pipe, and write the end of an output that was cut."""
        while self.copy():
            pass
        if self._is_cut:
            start = max(len(self._tail) - TAIL_BYTES, 0)
            left_out = self._left_out + start
            said = f"\n[laketop: {left_out} bytes of the output are left out here]\n"
            self._write((said if left_out else "").encode() + self._tail[start:])

    def _take(self, block: bytes) -> None:
        kept, rest = block[: self._room], block[self._room :]
        self._room -= len(kept)
        self._write(kept)
        if rest and not self._is_cut:
            self._is_cut = True
            said = f"[laketop: the output is cut here, after {self._most} bytes;"
            self._write(f"\n{said} its end follows once the task has ended]\n".encode())
        self._tail += rest
        if len(self._tail) > 2 * TAIL_BYTES:  # not with every block: it moves what is left
            self._left_out += len(self._tail) - TAIL_BYTES
            del self._tail[:-TAIL_BYTES]

    def _write(self, data: bytes | bytearray) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._log, view) :]
            except OSError:  # a full disk
                return


def _wake_on_signals() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # A handler, not SIG_IGN: exec resets handlers, but the task would inherit SIG_IGN.
        signal.signal(number, lambda _number, _frame: None)
    return reader


def _start(argv: list[str], output: int) -> tuple[int, int]:
    reader, writer = os.pipe()
    guard = os.getpid()
    child = os.fork()  # safe: this process has one thread
    if child == 0:
        _become(argv, output, writer, guard)
        return 0, 0
    os.close(writer)
    _group(child)
    errno = os.read(reader, 16)
    os.close(reader)
    if errno:
        os.waitpid(child, 0)
    return child, int(errno or 0)


def _become(argv: list[str], output: int, writer: int, guard: int) -> None:
    try:
        _group(0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it died before the line above could take effect
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if argv:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, exec keeps that
            os.execvp(argv[0], argv)  # noqa: S606 - a list of arguments, and no shell is the point
        os.close(writer)
    except OSError as error:
        os.write(writer, str(error.errno).encode())
        os._exit(127)
    except BaseException:  # noqa: BLE001 - whatever it is: nothing of this process may go on
        os._exit(127)


def _group(process: int) -> None:
    # Asked for by parent and child, so that the group exists whoever is faster.
    try:
        os.setpgid(process, process)
    except OSError:
        return


def _wait(child: int, wakeup: int, output: Output) -> int | None:
    # Until the program has ended, or it is to end: None.
    while True:
        code = _reap(child)
        if code is not None:
            return code
        sources = [wakeup, _INPUT] if output.source < 0 else [wakeup, _INPUT, output.source]
        ready, _, _ = select.select(sources, [], [])
        if output.source in ready:
            output.copy()
        told = set(os.read(wakeup, 512)) - {signal.SIGCHLD} if wakeup in ready else set()
        if told or _INPUT in ready:
            return _reap(child)


def _reap(child: int) -> int | None:
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)


def _end(child: int, code: int | None, output: Output, *, kill_at: float) -> int | None:
    # The program where it has not ended yet, and all that it has left running.
    number = signal.SIGTERM.value
    pause_seconds = 0.001
    while _signal_all(child, number) and time.monotonic() < kill_at + KILL_PATIENCE_SECONDS:
        output.wait(pause_seconds)
        pause_seconds = min(2 * pause_seconds, 0.05)
        ended = _reap(child)
        code = code if ended is None else ended
        number = signal.SIGKILL.value if time.monotonic() >= kill_at else 0
    ended = _reap(child)
    return code if ended is None else ended


def _signal_all(child: int, number: int) -> bool:
    # True if anything of the task is left; signal 0 only asks. Nobody is told twice: a program
    # that is just ending by the first TERM would die of a second.
    if not _LINUX:
        return _signalled(os.killpg, child, number)
    descendants = _descendants()
    if any(group == child for _, group in descendants):
        _signalled(os.killpg, child, number)
    for process, group in descendants:
        if group != child:
            _signalled(os.kill, process, number)
    return bool(descendants)


def _signalled(send: Callable[[int, int], None], target: int, number: int) -> bool:
    try:
        send(target, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and is someone else's: a program with set-user-id
        return True
    return True


def _descendants() -> list[tuple[int, int]]:
    children: dict[int, list[tuple[int, int]]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib takes long to load
        if name.isdecimal():
            state, parent, group = _stat(name)
            if state not in "ZX":
                children.setdefault(parent, []).append((int(name), group))
    found = children.get(os.getpid(), [])
    for process, _ in found:  # grows while it is walked
        found.extend(children.get(process, []))
    return found


def _stat(process: str) -> tuple[str, int, int]:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - the same
            stat = file.read()
    except OSError:  # it has ended in between
        return "X", 0, 0
    state, parent, group = stat[stat.rindex(b")") + 2 :].split()[:3]
    return state.decode(), int(parent), int(group)


def _report(line: str) -> None:
    try:
        os.write(_REPORT, line.encode() + b"\n")
    except OSError:  # nobody is left to read it
        return


def _prctl(option: int, value: int) -> None:
    if _LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])

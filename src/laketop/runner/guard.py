"""The process between the workspace and a task: it leaves nothing of the task behind.

Run by file name as `python -I -S guard.py GRACE_SECONDS PROGRAM ARGUMENT...`, so it imports
only what loads in milliseconds; or called in a process that `forkserver` has forked, with no
program: its child is the task then. Standard input is a pipe that the workspace holds open: when
it ends, by wish or because the workspace was killed, the task is told to stop, then killed.
Standard output is the report: `started PID`, then `ended CODE`; or `refused ERRNO` alone where
the program could not be started. Standard error is the log, which the task gets as its output.

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
    child, errno = _start(arguments[1:])
    if child == 0:
        return True
    if errno:
        _report(f"refused {errno}")
        return False
    _report(f"started {child}")
    code = _wait(child, wakeup)
    patience_seconds = grace_seconds if code is None else LEFTOVER_GRACE_SECONDS
    code = _end(child, code, kill_at=time.monotonic() + patience_seconds)
    _report(f"ended {-signal.SIGKILL if code is None else code}")
    return False


def _wake_on_signals() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # A handler, not SIG_IGN: exec resets handlers, but the task would inherit SIG_IGN.
        signal.signal(number, lambda _number, _frame: None)
    return reader


def _start(argv: list[str]) -> tuple[int, int]:
    reader, writer = os.pipe()
    guard = os.getpid()
    child = os.fork()  # safe: this process has one thread
    if child == 0:
        _become(argv, writer, guard)
        return 0, 0
    os.close(writer)
    _group(child)
    errno = os.read(reader, 16)
    os.close(reader)
    if errno:
        os.waitpid(child, 0)
    return child, int(errno or 0)


def _become(argv: list[str], writer: int, guard: int) -> None:
    try:
        _group(0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it died before the line above could take effect
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(_LOG, 1)
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


def _wait(child: int, wakeup: int) -> int | None:
    # Until the program has ended, or it is to end: None.
    while True:
        code = _reap(child)
        if code is not None:
            return code
        ready, _, _ = select.select([wakeup, _INPUT], [], [])
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


def _end(child: int, code: int | None, *, kill_at: float) -> int | None:
    # The program where it has not ended yet, and all that it has left running.
    number = signal.SIGTERM.value
    pause_seconds = 0.001
    while _signal_all(child, number) and time.monotonic() < kill_at + KILL_PATIENCE_SECONDS:
        time.sleep(pause_seconds)
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

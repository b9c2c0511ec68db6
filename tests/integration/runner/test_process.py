"""Child processes: their output, their end, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import laketop
from laketop.runner import guard
from laketop.runner.process import Ended, run_process

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 120.0
SOURCES = str(Path(laketop.__path__[0]).parent)
RECORD = "import os, pathlib; pathlib.Path(f'{os.getpid()}.pid').touch()\n"
IGNORE_TERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
SLEEP = "import time; time.sleep(60)\n"


def run(folder: Path, code: str, **options: Any) -> Ended:
    """Run Python `code` in `folder`, logged to `log`, with a short grace."""
    given = {
        "cwd": folder,
        "environment": {"PATH": os.environ["PATH"], "COLOUR": "blue"},
        "log": folder / "log",
        "cancelled": threading.Event(),
        "grace_seconds": 0.15,
    }
    return run_process([sys.executable, "-S", "-c", code], **{**given, **options})


def recorded(folder: Path) -> list[int]:
    """Return the processes that recorded themselves in `folder`."""
    return [int(path.stem) for path in folder.glob("*.pid")]


def lives(process: int) -> bool:
    """Return whether a process is there; one that is dead and waits to be reaped is not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # gone since, or a system without /proc
        return not Path("/proc/self").exists()
    return stat.rpartition(")")[2].split()[0] != "Z"


def comes_true(condition: Callable[[], bool]) -> bool:
    """Return whether `condition` holds before the patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


class CancelledWhen(threading.Event):
    """An event that is set as soon as a condition holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        super().__init__()
        self._condition = condition

    def is_set(self) -> bool:
        """Ask the condition, too."""
        return super().is_set() or self._condition()


def test_the_exit_code_and_both_outputs_are_kept(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    assert run(tmp_path, code) == Ended(exit_code=3)
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_the_log_is_added_to(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    run(tmp_path, "print('after')")
    assert (tmp_path / "log").read_text() == "before\nafter\n"


def test_output_is_in_the_log_while_the_program_runs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    seen = CancelledWhen(lambda: log.read_text() == "now\n" if log.exists() else False)
    ended = run(tmp_path, f"print('now', flush=True)\n{SLEEP}", cancelled=seen)
    assert ended == Ended(exit_code=-signal.SIGTERM, cancelled=True)


def test_an_output_that_is_too_long_is_cut_but_for_its_end(tmp_path: Path) -> None:
    loop = "import sys\nfor i in range(2_000_000): print(i)\nsys.stdout.flush()\n"
    code = loop + "print('last words', file=sys.stderr)"
    assert run(tmp_path, code, most_output_bytes=1000) == Ended(exit_code=0)
    log = (tmp_path / "log").read_bytes()
    head, cut, _ = log.partition(b"\n[laketop: the output is cut here, after 1000 bytes;")
    assert cut
    assert head == b"".join(b"%d\n" % i for i in range(2_000_000))[:1000]
    assert b" bytes of the output are left out here]\n" in log
    assert log.endswith(b"1999998\n1999999\nlast words\n")
    assert len(log) < 1000 + guard.TAIL_BYTES + 500


def test_a_program_that_is_stopped_while_it_writes_is_stopped(tmp_path: Path) -> None:
    log = tmp_path / "log"
    written = CancelledWhen(lambda: log.exists() and log.stat().st_size > 10_000)
    ended = run(tmp_path, "while True: print('x' * 1000)", cancelled=written)
    assert ended.cancelled


def test_the_program_gets_its_environment_folder_and_an_empty_input(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['COLOUR'], os.getcwd(), repr(sys.stdin.read()))"
    run(tmp_path, code)
    assert (tmp_path / "log").read_text() == f"blue {tmp_path.resolve()} ''\n"


def test_a_signal_that_kills_is_the_exit_code(tmp_path: Path) -> None:
    ended = run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert ended == Ended(exit_code=-signal.SIGSEGV)


def test_the_program_keeps_the_default_signals(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import signal, _signal
        print([_signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)])
        print(_signal.pthread_sigmask(_signal.SIG_BLOCK, []))
    """)
    run(tmp_path, code)
    default = int(signal.SIG_DFL)
    assert (tmp_path / "log").read_text() == f"[{default}, {default}]\nset()\n"


def test_started_is_told_the_process_which_leads_its_group(tmp_path: Path) -> None:
    told: list[int] = []
    run(tmp_path, "import os; print(os.getpid(), os.getpgrp())", started=told.append)
    assert (tmp_path / "log").read_text() == f"{told[0]} {told[0]}\n"


def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    ended = run(tmp_path, RECORD + SLEEP, timeout_seconds=0.2)
    assert ended == Ended(exit_code=-signal.SIGTERM, timed_out=True)
    assert not any(map(lives, recorded(tmp_path)))


def test_a_program_may_end_in_its_own_way_when_told_to_stop(tmp_path: Path) -> None:
    code = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
    ready = CancelledWhen(lambda: bool(recorded(tmp_path)))
    ended = run(tmp_path, code + RECORD + SLEEP, cancelled=ready, grace_seconds=10)
    assert ended == Ended(exit_code=7, cancelled=True)


def test_a_program_that_ignores_term_is_killed(tmp_path: Path) -> None:
    ready = CancelledWhen(lambda: bool(recorded(tmp_path)))
    ended = run(tmp_path, IGNORE_TERM + RECORD + SLEEP, cancelled=ready)
    assert ended == Ended(exit_code=-signal.SIGKILL, cancelled=True)
    assert not any(map(lives, recorded(tmp_path)))


FAMILY = textwrap.dedent("""
    import os
    if os.fork() == 0:
        if os.fork() == 0:
            {escape}
        {ignore}
        {record}
        {sleep}
""")


@pytest.mark.parametrize("escape", ["pass", "os.setsid()"])
@pytest.mark.parametrize("stopped", [True, False])
def test_nothing_of_a_family_of_processes_is_left(
    tmp_path: Path, escape: str, *, stopped: bool
) -> None:
    record = RECORD.strip().replace("\n", "; ")
    family = FAMILY.format(escape=escape, ignore="", record=record, sleep=SLEEP.strip())
    there = (
        "import pathlib, time\nwhile len([*pathlib.Path().glob('*.pid')]) < 2: time.sleep(.01)\n"
    )
    ready = CancelledWhen(lambda: stopped and len(recorded(tmp_path)) == 2)
    ended = run(tmp_path, family + there + (SLEEP if stopped else ""), cancelled=ready)
    assert ended.cancelled is stopped
    assert len(recorded(tmp_path)) == 2
    assert not any(map(lives, recorded(tmp_path)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux finds those that left the group")
def test_what_left_the_group_and_ignores_term_is_killed_too(tmp_path: Path) -> None:
    record = RECORD.strip()
    family = FAMILY.format(
        escape="os.setsid()", ignore=IGNORE_TERM.strip(), record=record, sleep=SLEEP.strip()
    )
    ready = CancelledWhen(lambda: len(recorded(tmp_path)) == 3)
    run(tmp_path, family + RECORD + SLEEP, cancelled=ready)
    assert not any(map(lives, recorded(tmp_path)))


def test_nothing_is_left_when_the_calling_process_is_killed(tmp_path: Path) -> None:
    record = RECORD.strip()
    family = FAMILY.format(escape="pass", ignore="", record=record, sleep=SLEEP.strip())
    caller = textwrap.dedent(f"""
        import pathlib, sys, threading
        from laketop.runner.process import run_process
        run_process(
            [sys.executable, "-S", "-c", {family + RECORD + SLEEP!r}],
            cwd=pathlib.Path(), environment={{}}, log=pathlib.Path("log"),
            cancelled=threading.Event(), grace_seconds=0.1,
        )
    """)
    with subprocess.Popen(
        [sys.executable, "-c", caller], cwd=tmp_path, env={"PYTHONPATH": SOURCES}
    ) as process:
        assert comes_true(lambda: len(recorded(tmp_path)) == 3)
        process.kill()
    assert comes_true(lambda: not any(map(lives, recorded(tmp_path))))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's end")
def test_a_program_dies_with_its_guard(tmp_path: Path) -> None:
    def kill_the_guard(process: int) -> None:
        stat = Path(f"/proc/{process}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)

    ended = run(tmp_path, RECORD + SLEEP, started=kill_the_guard)
    assert ended == Ended(exit_code=-signal.SIGKILL)
    assert comes_true(lambda: not any(map(lives, recorded(tmp_path))))


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run_process(
            ["no-such-program"],
            cwd=tmp_path,
            environment={"PATH": os.environ["PATH"]},
            log=tmp_path / "log",
            cancelled=threading.Event(),
        )


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        run(tmp_path, "", cwd=tmp_path / "gone")


def test_nothing_is_started_once_it_is_cancelled(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert run(tmp_path, RECORD, cancelled=cancelled).cancelled
    assert list(tmp_path.iterdir()) == []

"""What people see of the progress of a command: on a terminal, and where there is none."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from laketop.cli import _console
from laketop.cli._console import Progress

_ESCAPED = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERASE_LINE = "\x1b[2K"


class Terminal:
    """What was printed to a terminal so far."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.printed = ""

    def until(self, text: str) -> str:
        """Read on until `text` was printed, and return all that was."""
        while text not in self.printed:
            readable, _, _ = select.select([self._master], [], [], 60)
            assert readable, self.printed
            self.printed += os.read(self._master, 10_000).decode()
        return self.printed


@contextlib.contextmanager
def terminal() -> Iterator[Terminal]:
    """Let stderr be a terminal; a fixture could not: pytest sets it between setup and call."""
    master, slave = pty.openpty()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", "80")
        with os.fdopen(slave, "w", encoding="utf-8") as stream:
            patch.setattr(sys, "stderr", stream)
            yield Terminal(master)
            patch.undo()
    os.close(master)


def test_a_terminal_shows_one_line_that_is_drawn_again() -> None:
    with terminal() as seen:
        with Progress() as progress:
            progress.show("starting the workspace")
            first = seen.until("starting the workspace (")
            progress.show("starting \x1b[31mSpark")
            drawn = seen.until("Spark (")[len(first) :]
            progress.note("deployed")
            seen.until("deployed")
        print("end", file=sys.stderr, flush=True)
        printed = _ESCAPED.sub("", seen.until("end"))
    assert _ERASE_LINE in drawn.partition("Spark")[0]
    assert "\n" not in first + drawn
    assert r"starting \x1b[31mSpark" in printed  # what it is told draws nothing by itself
    lines = [line.rpartition("\r")[2] for line in printed.replace("\r\n", "\n").split("\n")]
    assert "deployed" in lines  # the line that stays stands alone


def test_a_terminal_at_which_a_person_is_asked_is_not_drawn_on() -> None:
    with terminal() as seen, Progress() as progress:
        progress.show("reading")
        seen.until("reading")
        progress.pause()
        print("Go on?", file=sys.stderr, flush=True)
        before = seen.until("Go on?")
        progress.show("deploying")
        print("end", file=sys.stderr, flush=True)
        assert "\x1b" not in seen.until("end")[len(before) :]


def test_without_a_terminal_each_change_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for text in ("starting", "starting", "warm\rup", "warm\rup", "starting"):
            progress.show(text)
        progress.note("[bold]deployed")
    told = capsys.readouterr()
    assert told.err.splitlines() == ["starting", r"warm\rup", "starting", "[bold]deployed"]
    assert told.out == ""


def test_a_file_holds_no_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with Progress() as progress:
            progress.show("starting")
        monkeypatch.undo()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "starting\n"


def test_an_error_has_its_hint_on_a_line_of_its_own_and_moves_no_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _console.explain("no job named '\x1b[2J'\nhint: the bundle has one")
    assert capsys.readouterr().err == "no job named '\\x1b[2J'\nhint: the bundle has one\n"

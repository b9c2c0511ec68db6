"""What people see: talk on stderr, data on stdout, colours only where they are wanted."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from laketop.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

_LAYOUT = "\n\t"
"""What an error may hold beside text: several problems are several lines."""


def say(text: str) -> None:
    """Print one line of talk, its control characters escaped."""
    print(printable(text), file=sys.stderr, flush=True)


def explain(text: str) -> None:
    """Print an error as talk: its sentence, and its hint on a line of its own."""
    print(printable(text, keep=_LAYOUT), file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """Print one line of data, its control characters escaped."""
    print(printable(text), flush=True)


def emit(value: object) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=2, sort_keys=False, default=str), flush=True)


def talk() -> Console:
    """Return a console on stderr (rich: honours NO_COLOR, plain where there is no terminal)."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """Print a table of data on stdout."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    shown = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        shown.add_column(Text(str(column)), overflow="fold")
    for row in rows:
        shown.add_row(
            *(Text("NULL" if cell is None else printable(str(cell), keep="\n\t")) for cell in row)
        )
    console.print(shown)


class Progress:
    """One line that tells what is going on: redrawn on a terminal, else a line a change."""

    def __init__(self) -> None:
        self._console = talk()
        self._status: Any = None
        self._last = ""
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def pause(self) -> None:
        """Take the line away, so that a person can be asked; the next `show` draws none."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(printable(text), markup=False)

    def show(self, text: str) -> None:
        """Show `text`, with the seconds since the start."""
        seconds = time.monotonic() - self._began
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(f"{printable(text)} ({seconds:.0f} s)"))
        elif text != self._last:
            say(text)
        self._last = text

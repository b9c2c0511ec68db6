"""The entry point of the command line: finds the commands, runs one, and alone exits."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from laketop import cli
from laketop.errors import LaketopError, printable

TYPE_CHECKING = False  # as type checkers know it: typing itself costs a tenth of the start-up
if TYPE_CHECKING:
    from typing import Any

_ABOUT = """\
The Databricks lakehouse on a laptop: runs the bundle of this folder on real Spark,
real Delta and real MLflow, offline. Everything acts on the local workspace, whatever
host the bundle names.
"""

_HANDING_ON = frozenset({"run"})
"""Commands that hand on what follows `--`."""
_WIDTH = 80
"""Columns of help where there is no terminal."""

_FIRST = """\
first steps:
  laketop run KEY          run a job of the databricks.yml here, starting what it needs
  laketop sql "select 1"   ask the engine
  laketop status           what is running, and where to look
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose options, and those of its commands, are whole: --force is no --force-lock."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Help, **options, "allow_abbrev": False})


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal, which argparse asks shutil for, a third of the start-up."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class _FirstHelp(_Help, argparse.RawDescriptionHelpFormatter):
    """The same, with a description whose lines stay as they are."""


def _columns() -> int:
    try:
        return os.get_terminal_size().columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with every command; a file of this folder without `_` is a command.

    With `only`, the other commands are names and a line of help: their files are not loaded.
    """
    top = _Parser(
        prog="laketop",
        description=_ABOUT,
        epilog=_FIRST,
        formatter_class=_FirstHelp,
    )
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _command_names():
        if only is None or name == only:
            importlib.import_module(f"laketop.cli.{name}").register(commands)
        else:
            commands.add_parser(name, help=_first_line(name), add_help=False)
    return top


def _command_names() -> list[str]:
    files = os.listdir(cli.__path__[0])  # noqa: PTH208 - pathlib costs start-up
    names = (file.removesuffix(".py") for file in files if file.endswith(".py"))
    return sorted(name for name in names if not name.startswith("_") and name != "main")


def _first_line(name: str) -> str:
    # Each file of a command begins with: """`laketop NAME`: what it does."""
    with open(f"{cli.__path__[0]}/{name}.py", encoding="utf-8") as file:  # noqa: PTH123 - the same
        return file.readline().strip().partition(": ")[2].strip('".')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    given = sys.argv[1:] if arguments is None else arguments
    command = next((word for word in given if not word.startswith("-")), "")
    handed_on: Sequence[str] = ()
    if command in _HANDING_ON and "--" in given:  # which argparse takes only at once after a KEY
        cut = list(given).index("--")
        given, handed_on = given[:cut], given[cut + 1 :]
    args = parser(command).parse_args(given)
    args.handed_on = list(handed_on)
    try:
        return int(args.run(args))
    except LaketopError as error:
        if args.debug:
            raise
        from laketop.cli import _console  # which help has no need of

        _console.explain(f"error: {error}")
    except KeyboardInterrupt:
        if args.debug:
            raise
        print("interrupted", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read our output has seen enough, as in `laketop sql … | head`.
        sys.stderr.close()
    except Exception as error:
        if args.debug:
            raise
        said = str(error).strip().splitlines() or [""]
        print(f"error: {type(error).__name__}: {printable(said[0])}", file=sys.stderr)
        print("hint: `laketop --debug …` shows where", file=sys.stderr)
    return 1

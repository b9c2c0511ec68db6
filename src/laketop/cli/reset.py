"""`laketop reset`: delete everything the local workspace holds: tables, runs, models, files."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from laketop.cli import _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "delete everything the local workspace holds: tables, runs, models, files"
    parser = commands.add_parser("reset", help=text, description=text + ". The project stays.")
    _project.add_options(parser, in_workspace=False)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """End the workspace and delete its state folder."""
    import shutil

    from laketop.cli import _console
    from laketop.errors import LaketopError
    from laketop.workspace import daemon

    settings = _project.settings(args)
    if not settings.state.exists():
        if args.json:
            _console.emit({"deleted": None})
        _console.say("there is nothing to delete")
        return 0
    if not args.yes:
        if not sys.stdin.isatty():
            raise LaketopError("`laketop reset` deletes tables and models", hint="add --yes")
        if _answer(f"delete {settings.state} and all that is in it? [y/N] ").lower() != "y":
            _console.say("nothing is deleted")
            return 1
    daemon.stop(settings)
    # Renamed first: what a kill interrupts is never half a workspace.
    gone = settings.state.with_name(f"{settings.state.name}-deleted")
    shutil.rmtree(gone, ignore_errors=True)
    with daemon.hold(settings):
        settings.state.rename(gone)
    shutil.rmtree(gone)
    if args.json:
        _console.emit({"deleted": str(settings.state)})
    else:
        _console.say(f"deleted {settings.state}")
    return 0


def _answer(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""

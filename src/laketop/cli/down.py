"""`laketop down`: end the local workspace, its engine and its tasks; nothing stored is lost."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "end the local workspace, its engine and its tasks; nothing stored is lost"
    parser = commands.add_parser("down", help=text, description=text + ".")
    _project.add_options(parser, in_workspace=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """End what is running."""
    from laketop.cli import _console
    from laketop.workspace import daemon

    settings = _project.settings(args)
    with _console.Progress() as progress:
        progress.show("ending the workspace")
        stopped = daemon.stop(settings)
    if args.json:
        _console.emit({"stopped": stopped})
    else:
        _console.say("the workspace has ended" if stopped else "no workspace was running")
    return 0

"""`laketop cancel`: end a run and every process of it."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project, _runs


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "end a run and every process of it"
    parser = commands.add_parser("cancel", help=text, description=text + ".")
    _runs.add_run(parser)
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Cancel the run; one that has ended stays as it is."""
    from laketop.cli import _console
    from laketop.cli._graph import word_of

    contact, run_id = _runs.reach(args)
    had_ended = _runs.is_final(_runs.get(contact, run_id))
    told = _runs.cancel(contact, run_id)
    if args.json:
        _console.emit(told)
    how = "had ended already" if had_ended else "has ended"
    _console.say(f"run {run_id} {how}: {word_of(told)}")
    return 0

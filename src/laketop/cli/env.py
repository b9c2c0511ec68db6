"""`laketop env`: print shell exports for other tools: the workspace, MLflow, Spark."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "print shell exports for other tools"
    parser = commands.add_parser(
        "env",
        help=text + ": the workspace, MLflow, Spark",
        description='Print shell exports for other tools. Use it as: eval "$(laketop env)"',
    )
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the variables of the running workspace."""
    import shlex

    from laketop.cli import _console
    from laketop.errors import LaketopError
    from laketop.workspace import daemon

    contact = daemon.find(_project.settings(args))
    if contact is None:
        raise LaketopError("no workspace is running here", hint="start it with `laketop up`")
    if args.json:
        _console.emit(contact.environment())
    else:
        for name, value in contact.environment().items():
            print(f"export {name}={shlex.quote(value)}")
    return 0

"""`laketop destroy`: delete what a target's deployments have made; asks first."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _deploying


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "delete what a target's deployments have made; asks first"
    parser = commands.add_parser(
        "destroy",
        help=text,
        description=text + ". Schemas with tables, volumes with files and models with versions"
        " stay, unless --purge says otherwise.",
    )
    _deploying.add_options(parser)
    _deploying.add_changing_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Delete, and say what was kept; 1 where something was."""
    from laketop.cli import _console
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        opened.progress.show(f"destroying target {opened.bundle.target}")
        kept = deployment.destroy(opened.site, opened.bundle, opened.options(args))
        target, place = opened.bundle.target, _deploying.place_of(opened)
    if args.json:
        _console.emit({"target": target, "kept": [failure.name for failure in kept]})
    for failure in kept:
        _console.explain(str(failure.error))
    if kept:
        return 1
    if not args.json:
        _console.say(f"nothing of target {target} is left on {place}")
    return 0

"""`laketop summary`: list the bundle's resources, what they are called, and their ids."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _deploying


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "list the bundle's resources, what they are called, and their ids"
    parser = commands.add_parser("summary", help=text, description=text + ".")
    _deploying.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the resources of the target."""
    from laketop.cli import _console
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        bundle = opened.bundle
        found = deployment.summary_of(opened.site, bundle)
        place = _deploying.place_of(opened)
    if args.json:
        _console.emit({"name": bundle.name, "target": bundle.target, "resources": found})
        return 0
    _console.tell(f"Name:      {bundle.name}")
    _console.tell(f"Target:    {bundle.target}")
    _console.tell(f"Workspace: {place}, path {bundle.workspace.root_path}")
    for one in found:
        at = one["id"] if one["id"] is not None else "(not deployed)"
        _console.tell(f"  {one['type']}.{one['key']}: {one['name']} {at}")
        if one["url"]:
            _console.tell(f"    {one['url']}")
    return 0

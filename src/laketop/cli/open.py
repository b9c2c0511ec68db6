"""`laketop open`: open the page of a deployed resource in the browser."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _deploying


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "open the page of a deployed resource in the browser"
    parser = commands.add_parser("open", help=text, description=text + ".")
    parser.add_argument("key", metavar="KEY", help="the key of the resource under `resources`")
    _deploying.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Open the page, and print its address."""
    import webbrowser

    from laketop.cli import _console
    from laketop.errors import LaketopError, NotFound, Refused
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        found = deployment.summary_of(opened.site, opened.bundle)
        is_local = opened.site.is_local
    chosen = [one for one in found if args.key in {one["key"], f"{one['type']}.{one['key']}"}]
    if not chosen:
        keys = ", ".join(sorted(one["key"] for one in found))
        raise NotFound("resource", args.key, hint=f"the bundle has {keys}" if keys else None)
    one = chosen[0]
    if one["id"] is None:
        raise LaketopError(
            f"{one['type']}.{one['key']} is not deployed", hint="`laketop deploy` deploys it"
        )
    if is_local:
        raise Refused(
            "a page of the local workspace in the browser",
            hint="`laketop summary` tells ids; --remote opens the page on Databricks",
        )
    if one["url"] is None:
        raise Refused(f"opening {one['type']}", hint="`laketop summary` tells its id")
    if args.json:
        _console.emit({"url": one["url"]})
    else:
        print(one["url"])
        webbrowser.open(one["url"])
    return 0

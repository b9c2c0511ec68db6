"""`laketop open`: open the page of the workspace, or of a deployed resource, in the browser."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from laketop.cli import _deploying

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "open the page of the workspace, or of a deployed resource, in the browser"
    parser = commands.add_parser(
        "open",
        help=text,
        description=text + ". The link signs the browser in; it works once, for ten minutes.",
    )
    parser.add_argument(
        "key", metavar="KEY", nargs="?", help="the key of a resource under `resources`"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    _deploying.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Open the page, and print its address."""
    import webbrowser

    from laketop.cli import _console

    url = _address(args)
    if args.json:
        _console.emit({"url": url})
        return 0
    print(url, flush=True)
    if not args.no_browser:
        webbrowser.open(url)
    return 0


def link(contact: Contact, path: str = "/") -> str:
    """Return a link that signs a browser in, once, and leads to a path of the local workspace."""
    return str(contact.request("POST", "/api/laketop/1/page/link", {"path": path})["url"])


def _address(args: argparse.Namespace) -> str:
    from laketop.cli import _project
    from laketop.workspace import daemon

    if args.key is None and not args.remote:  # no bundle is needed to look at the workspace
        return link(daemon.start(_project.settings(args)))
    with _deploying.site(args) as opened:
        url = opened.site.url if args.key is None else _page(opened, args.key)
        if not opened.site.is_local:
            return url
    contact = daemon.start(_project.settings(args))
    return link(contact, url.removeprefix(contact.url))


def _page(opened: _deploying.Opened, key: str) -> str:
    from laketop.errors import LaketopError, NotFound, Refused
    from laketop.workspace import deployment

    found = deployment.summary_of(opened.site, opened.bundle)
    chosen = [one for one in found if key in {one["key"], f"{one['type']}.{one['key']}"}]
    if not chosen:
        keys = ", ".join(sorted(one["key"] for one in found))
        raise NotFound("resource", key, hint=f"the bundle has {keys}" if keys else None)
    one = chosen[0]
    if one["id"] is None:
        raise LaketopError(
            f"{one['type']}.{one['key']} is not deployed", hint="`laketop deploy` deploys it"
        )
    if one["url"] is None:
        raise Refused(f"opening {one['type']}", hint="`laketop summary` tells its id")
    return str(one["url"])

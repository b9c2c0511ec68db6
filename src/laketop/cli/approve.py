"""`laketop approve`: approve a model version, as somebody other than its author."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact

_SCIM = "/api/2.0/preview/scim/v2"


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "approve a model version, as somebody other than its author"
    parser = commands.add_parser(
        "approve",
        help=text,
        description=text + "; a deployment job that waits for it goes on.",
    )
    parser.add_argument("model", metavar="MODEL", help="catalog.schema.model")
    parser.add_argument("version", metavar="VERSION", type=int, help="the number of the version")
    parser.add_argument(
        "--by",
        metavar="NAME",
        help="who approves (default: who you are here); a new name becomes a user",
    )
    parser.add_argument("--reason", default="", help="what is written down with it")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Approve the version; the workspace sets its tags and writes the row of `promotions`."""
    from urllib.parse import quote

    from laketop.cli import _console
    from laketop.workspace import daemon

    contact = daemon.start(_project.settings(args))
    made = bool(args.by) and _made(contact, args.by)
    path = f"/api/laketop/1/models/{quote(args.model, safe='')}/versions/{args.version}/approve"
    body = {"reason": args.reason, **({"approver": args.by} if args.by else {})}
    told = contact.request("POST", path, body)
    if made:
        _console.say(f"{args.by} is a new user of the workspace")
    if args.json:
        _console.emit(told)
        return 0
    goes_on = f"; run {told['run_id']} goes on" if told["run_id"] else ""
    who = told["approved_by"]
    _console.say(f"version {args.version} of {args.model} is approved by {who}{goes_on}")
    return 0


def _made(contact: Contact, name: str) -> bool:
    """Make the user of that name where nobody has it; return whether that was needed."""
    import json
    from urllib.parse import quote

    for kind, attribute in (("Users", "userName"), ("ServicePrincipals", "applicationId")):
        wanted = quote(f"{attribute} eq {json.dumps(name)}")
        if contact.request("GET", f"{_SCIM}/{kind}?filter={wanted}").get("Resources"):
            return False
    contact.request("POST", f"{_SCIM}/Users", {"userName": name})
    return True

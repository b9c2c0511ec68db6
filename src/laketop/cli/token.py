"""`laketop token`: create, list and revoke tokens that open the workspace."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact

_DAY_SECONDS = 24 * 3600


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "create, list and revoke tokens that open the workspace"
    parser = commands.add_parser("token", help=text, description=text + ".")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="print a new token, this once")
    create.add_argument(
        "--user",
        metavar="NAME",
        help="whom it speaks for: a user, or a service principal's application id (default: you)",
    )
    create.add_argument("--comment", metavar="TEXT", default="", help="what it is for")
    create.add_argument("--days", metavar="N", type=_days, help="how long (default: no end)")
    create.set_defaults(act=_create)
    listing = actions.add_parser("list", help="show every token, never its value")
    listing.set_defaults(act=_list)
    revoke = actions.add_parser("revoke", help="let a token open nothing any more")
    revoke.add_argument("id", metavar="ID", help="its id, or how that begins")
    revoke.set_defaults(act=_revoke)
    _project.add_options(parser)
    for action in (create, listing, revoke):
        _project.add_options(action, of_action=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Act on the running workspace of the project."""
    from laketop.errors import LaketopError
    from laketop.workspace import daemon

    contact = daemon.find(_project.settings(args))
    if contact is None:
        raise LaketopError("no workspace is running here", hint="start it with `laketop up`")
    args.act(contact, args)
    return 0


def _create(contact: Contact, args: argparse.Namespace) -> None:
    from laketop.cli import _console

    body = {
        "comment": args.comment,
        **({"user": args.user} if args.user else {}),
        **({"lifetime_seconds": args.days * _DAY_SECONDS} if args.days else {}),
    }
    told = contact.request("POST", "/api/laketop/1/tokens", body)
    if args.json:
        _console.emit(told)
        return
    print(told["token_value"])
    _console.say(f"a token of {told['user']}; it is not shown again")


def _list(contact: Contact, args: argparse.Namespace) -> None:
    from laketop.cli import _console

    tokens = _tokens(contact)
    if args.json:
        _console.emit(tokens)
        return
    rows = [
        (
            one["token_id"][:12],
            one["owner"],
            one.get("comment", ""),
            _date(one["creation_time"]),
            _date(one["expiry_time"]) if one["expiry_time"] >= 0 else "never",
        )
        for one in tokens
    ]
    _console.table(("id", "user", "comment", "made", "ends"), rows)


def _revoke(contact: Contact, args: argparse.Namespace) -> None:
    from laketop.cli import _console
    from laketop.errors import NotFound

    found = [t["token_id"] for t in _tokens(contact) if t["token_id"].startswith(args.id)]
    if len(found) != 1:
        raise NotFound("token", args.id)
    contact.request("DELETE", f"/api/2.0/token-management/tokens/{found[0]}")
    if args.json:
        _console.emit({"token_id": found[0]})
    _console.say(f"token {found[0][:12]} opens nothing any more")


def _tokens(contact: Contact) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = contact.request("GET", "/api/laketop/1/tokens")["tokens"]
    return found


def _date(ms: int) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%d")


def _days(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 730:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to 730")
    return int(text)

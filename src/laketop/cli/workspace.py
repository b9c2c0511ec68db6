"""`laketop workspace`: create, list and choose workspaces: dev, staging, prod side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.settings import Settings
    from laketop.workspace.daemon import Contact

_PATH = "/api/laketop/1/workspaces"


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "create, list and choose workspaces: dev, staging, prod side by side"
    parser = commands.add_parser(
        "workspace",
        help=text,
        description=text + ". They share catalogs, tables, models, users and the engine; files,"
        " jobs, secrets, experiments and endpoints are each one's own.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a workspace")
    create.set_defaults(act=_create)
    listing = actions.add_parser("list", help="show every workspace, and which is in use")
    listing.set_defaults(act=_list)
    use = actions.add_parser("use", help="let commands act on a workspace from now on")
    use.set_defaults(act=_use)
    delete = actions.add_parser("delete", help="delete a workspace; tables and models stay")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.set_defaults(act=_delete)
    for action in (create, use, delete):
        action.add_argument("name", metavar="NAME", help="small letters, digits and hyphens")
    _project.add_options(parser, in_workspace=False)
    for action in (create, listing, use, delete):
        _project.add_options(action, of_action=True, in_workspace=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Act on the workspaces of the project."""
    return int(args.act(_project.settings(args), args))


def _create(settings: Settings, args: argparse.Namespace) -> int:
    from laketop.cli import _console

    told = _started(settings).request("POST", _PATH, {"name": args.name})
    if args.json:
        _console.emit(told)
    else:
        _console.say(f"workspace {args.name} is there; `laketop workspace use {args.name}`")
    return 0


def _list(settings: Settings, args: argparse.Namespace) -> int:
    from laketop.cli import _console
    from laketop.workspace import daemon, in_use

    contact = daemon.find_first(settings)
    told = contact.request("GET", _PATH)["workspaces"] if contact is not None else []
    ids = {one["workspace_name"]: one["workspace_id"] for one in told}
    current = settings.workspace or in_use.in_use(settings)
    rows = [
        {"workspace_name": name, "workspace_id": ids.get(name), "in_use": name == current}
        for name in in_use.names(settings)
    ]
    if args.json:
        _console.emit(rows)
    else:
        shown = [
            ("*" if row["in_use"] else "", row["workspace_name"], row["workspace_id"] or "")
            for row in rows
        ]
        _console.table(("in use", "name", "id"), shown)
    return 0


def _use(settings: Settings, args: argparse.Namespace) -> int:
    from laketop.cli import _console
    from laketop.workspace import daemon, in_use

    daemon.prepare(settings)
    in_use.use(settings, args.name)
    if args.json:
        _console.emit({"in_use": args.name})
    else:
        _console.say(f"commands act on workspace {args.name}")
    if settings.workspace not in {"", args.name}:
        _console.say(f"LAKETOP_WORKSPACE is {settings.workspace}, and goes before that")
    return 0


def _delete(settings: Settings, args: argparse.Namespace) -> int:
    import sys

    from laketop.cli import _console
    from laketop.errors import LaketopError
    from laketop.workspace import in_use

    if args.name == in_use.in_use(settings):
        raise LaketopError(
            f"workspace {args.name!r} is in use", hint="`laketop workspace use` another one first"
        )
    if not args.yes:
        if not sys.stdin.isatty():
            raise LaketopError(
                f"to delete workspace {args.name!r} is to delete its files, jobs, secrets and runs",
                hint="add --yes",
            )
        if input(f"delete workspace {args.name} and all that is its own? [y/N] ").lower() != "y":
            _console.say("nothing is deleted")
            return 1
    _started(settings).request("DELETE", f"{_PATH}/{args.name}")
    if args.json:
        _console.emit({"deleted": args.name})
    else:
        _console.say(f"workspace {args.name} is deleted")
    return 0


def _started(settings: Settings) -> Contact:
    from laketop.workspace import daemon

    return daemon.start_first(settings)

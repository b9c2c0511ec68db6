"""`laketop deployment`: tie a resource of the bundle to one that is there already, or untie it."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _deploying, _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "tie a resource of the bundle to one that is there already, or untie it"
    parser = commands.add_parser("deployment", help=text, description=text + ".")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    more = "let the next deployment change what has an id, rather than make it"
    bind = actions.add_parser("bind", help=more, description=more + ".")
    bind.set_defaults(act=_bind)
    more = "let the deployment forget a resource, which stays on the workspace"
    unbind = actions.add_parser("unbind", help=more, description=more + ".")
    unbind.set_defaults(act=_unbind)
    for action in (bind, unbind):
        action.add_argument("key", metavar="KEY", help="the key of a resource, or `type.key`")
        _deploying.add_options(action, of_action=True)
        _deploying.add_lock_option(action)
    _project.add_options(parser)
    bind.add_argument("id", metavar="ID", help="its id on the workspace; of Unity Catalog its name")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tie or untie a resource."""
    return int(args.act(args))


def _bind(args: argparse.Namespace) -> int:
    from laketop.cli import _console
    from laketop.cli.plan import lines_of_step
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        site, bundle = opened.site, opened.bundle
        step = deployment.bind(site, bundle, args.key, args.id, force=args.force_lock)
    if args.json:
        _console.emit({"resource": step.name, "id": args.id, "action": step.action})
        return 0
    _console.say(f"{step.name} is {args.id}; `laketop deploy` would do this to it:")
    for line in lines_of_step(step):
        print(line)
    return 0


def _unbind(args: argparse.Namespace) -> int:
    from laketop.cli import _console
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        id_ = deployment.unbind(opened.site, opened.bundle, args.key, force=args.force_lock)
    if args.json:
        _console.emit({"resource": args.key, "id": id_})
    else:
        _console.say(f"{args.key} is no longer {id_}, which stays where it is")
    return 0

"""`laketop approve`: approve a model version, as somebody other than its author."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project


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
    parser.add_argument("--by", metavar="NAME", help="who approves (default: who you are here)")
    parser.add_argument("--reason", default="", help="what is written down with it")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Set the version's tags, and write the approval to `promotions`."""
    from urllib.parse import quote

    from laketop.cli import _console
    from laketop.engine.connect import RemoteEngine
    from laketop.ml import record_promotion
    from laketop.workspace import daemon

    with _console.Progress() as progress:
        contact = daemon.start(_project.settings(args))
        path = f"/api/laketop/1/models/{quote(args.model, safe='')}/versions/{args.version}/approve"
        told = contact.request("POST", path, {"approver": args.by} if args.by else {})
        contact.wait_for_engine(progress.show)
    session = RemoteEngine(contact.spark_remote).session()
    try:
        record_promotion(
            session,
            args.model.rpartition(".")[0],
            model=args.model,
            version=str(args.version),
            outcome="approved",
            approved_by=told["approved_by"],
            reason=args.reason,
        )
    finally:
        session.stop()
    if args.json:
        _console.emit(told)
        return 0
    goes_on = f"; run {told['run_id']} goes on" if told["run_id"] else ""
    who = told["approved_by"]
    _console.say(f"version {args.version} of {args.model} is approved by {who}{goes_on}")
    return 0

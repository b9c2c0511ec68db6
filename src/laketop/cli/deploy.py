"""`laketop deploy`: put what the bundle describes on the local workspace."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _deploying


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "put what the bundle describes on the local workspace"
    parser = commands.add_parser(
        "deploy",
        help=text,
        description=text + ", for one target: only what changed. A deployment that was cut is"
        " completed by the next.",
    )
    _deploying.add_options(parser)
    _deploying.add_changing_options(parser)
    _deploying.add_select_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Deploy and say what is there; 1 where a resource is not deployed."""
    from laketop.cli import _console
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        bundle = opened.bundle
        opened.progress.show(f"deploying {bundle.name} to target {bundle.target}")
        done = deployment.deploy_to(opened.site, opened.load, opened.options(args))
        place = _deploying.place_of(opened)
    if args.json:
        _console.emit({"target": done.target, "jobs": dict(done.jobs)})
    for failure in done.failures:
        _console.explain(f"{failure.name} is not deployed: {failure.error}")
    if done.failures:
        return 1
    if not args.json:
        jobs = ", ".join(f"job {key} ({job_id})" for key, job_id in sorted(done.jobs.items()))
        _console.say(f"target {done.target} is deployed on {place}" + (f": {jobs}" if jobs else ""))
    return 0

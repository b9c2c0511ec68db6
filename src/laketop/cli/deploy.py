"""`laketop deploy`: put the jobs and files of the bundle on the local workspace."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "put the jobs and files of the bundle on the local workspace"
    parser = commands.add_parser("deploy", help=text, description=text + ", for one target.")
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Deploy and say what is there."""
    import sys

    from laketop.cli import _console, validate
    from laketop.workspace import daemon, deployment

    bundle = validate.load(args)
    if validate.report(bundle, sys.stderr):
        return 1
    settings = _project.settings(args)
    with _console.Progress() as progress:
        if daemon.find(settings) is None:
            progress.show("starting the workspace")
        contact = daemon.start(settings)
        progress.show(f"deploying {bundle.name} to target {bundle.target}")
        done = deployment.deploy(lambda: validate.load(args), settings, contact, progress.note)
    if args.json:
        _console.emit({"target": done.target, "jobs": dict(done.jobs)})
    else:
        _console.say(
            f"target {done.target} is deployed on the local workspace: "
            + ", ".join(f"job {key} ({job_id})" for key, job_id in sorted(done.jobs.items()))
        )
    return 0

"""A script of the bundle, run on this terminal with the local workspace in its environment."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from laketop.cli import _project
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.bundle import Bundle

_OF_JOBS = ("params", "only", "task", "watch", "no_wait", "chaos", "json")


def run(args: argparse.Namespace, bundle: Bundle) -> int:
    """Run the script that `args.job` names; nothing is deployed. Return its exit code.

    Errors: LaketopError for an option that is for jobs alone.
    """
    from laketop.cli import _console
    from laketop.workspace import daemon, deployment

    for name in _OF_JOBS:
        given = getattr(args, name)
        if given is not None and given is not False and given != []:
            option = f"--{name.replace('_', '-')}"
            raise LaketopError(
                f"{args.job!r} is a script of the bundle, which takes no {option}",
                hint=f"its variables are given under scripts.{args.job}.env, with --var",
            )
    settings = _project.settings(args)
    with _console.Progress() as progress:
        if daemon.find(settings) is None:
            progress.show("starting the workspace")
        contact = daemon.start(settings)
    environment = {**settings.tool_environment, **contact.environment()}
    return deployment.run_script(bundle.scripts[args.job], bundle, environment)

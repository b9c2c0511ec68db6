"""A script of the bundle, run on this terminal with the local workspace in its environment."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from laketop.cli import _project
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.bundle import Bundle

_OF_JOBS = ("params", "only", "task", "watch", "no_wait", "restart", "chaos", "json")


def run(args: argparse.Namespace, bundle: Bundle) -> int:
    """Run the script that `args.job` names, without one the command after `--`.

    Nothing is deployed. Return its exit code.
    Errors: LaketopError for an option that is for jobs alone.
    """
    from laketop.bundle import Place, Script
    from laketop.cli import _console
    from laketop.workspace import daemon, deployment

    called = "a command" if args.job is None else f"{args.job!r} is a script of the bundle, which"
    for name in _OF_JOBS:
        given = getattr(args, name)
        if given is not None and given is not False and given != []:
            option = f"--{name.replace('_', '-')}"
            raise LaketopError(
                f"{called} takes no {option}", hint="variables of scripts are given with --var"
            )
    if args.job is not None and args.handed_on:
        raise LaketopError(f"{called} takes no arguments")
    settings = _project.settings(args)
    with _console.Progress() as progress:
        if daemon.find(settings) is None:
            progress.show("starting the workspace")
        contact = daemon.start(settings)
    environment = {**settings.tool_environment, **contact.environment()}
    if args.job is None:
        script = Script("--", shlex.join(args.handed_on), {}, Place("", 0, 0))
    else:
        script = bundle.scripts[args.job]
    return deployment.run_script(script, bundle, environment)

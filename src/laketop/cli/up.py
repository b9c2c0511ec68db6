"""`laketop up`: start the local workspace and its Spark engine, and return when both answer."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.settings import Settings
    from laketop.workspace.daemon import Contact


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "start the local workspace and its Spark engine, and return when both answer"
    parser = commands.add_parser("up", help=text, description=text + ".")
    _project.add_options(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="return at once and let the engine warm up behind"
    )
    parser.add_argument(
        "--port", type=_project.port, help="the port of the workspace (default: a free one)"
    )
    parser.add_argument(
        "--faults", action="store_true", help="let clients make their own requests fail, to test"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start what is not running and say where it is."""
    import dataclasses

    from laketop.cli import _console
    from laketop.errors import LaketopError
    from laketop.workspace import daemon

    settings = _project.settings(args)
    if args.port is not None:
        settings = dataclasses.replace(settings, port=args.port)
    settings = dataclasses.replace(settings, faults=args.faults)
    _tell_problems(settings)
    with _console.Progress() as progress:
        progress.show("starting the workspace")
        contact, is_ours = daemon.started(settings)
        if args.port and not contact.url.endswith(f":{args.port}"):
            raise LaketopError(
                f"the workspace runs already, at {contact.url}, not at port {args.port}",
                hint="`laketop down` ends it",
            )
        if args.faults and not is_ours:
            _check_faults(contact)
        if not args.no_wait:
            daemon.wait_for_engine(settings, contact, is_ours=is_ours, show=progress.show)
    if args.json:
        _console.emit({"url": contact.url, "pid": contact.pid, "spark_remote": _hidden(contact)})
    else:
        _console.say(f"the workspace of {settings.root.name} is at {contact.url}")
        _console.say("next: `laketop run JOB`; `laketop open` to look at it in the browser")
        _console.say('`eval "$(laketop env)"` is for your own tools')
    return 0


def _tell_problems(settings: Settings) -> None:
    """Say what is wrong with the bundle: a workspace is of use all the same.

    Errors: ConfigError where nothing can be made of it, such as no YAML.
    """
    from laketop import bundle
    from laketop.cli import _console

    try:
        loaded = bundle.load(
            settings.root,
            environment=settings.environment,
            user=settings.user,
            find=lambda _kind, _name: None,  # which the workspace will know
        )
    except bundle.NoTarget:  # each command names its own
        return
    errors = [problem for problem in loaded.problems if problem.severity != "recommendation"]
    if errors:
        _console.say(str(errors[0]))
        count = len(errors)
        _console.say(f"problems of the bundle: {count}; `laketop validate` shows them, with hints")


def _check_faults(contact: Contact) -> None:
    """Make sure that a workspace that ran already takes faults. Errors: LaketopError if not."""
    from laketop.errors import LaketopError

    try:
        contact.request("GET", "/api/laketop/1/faults")
    except LaketopError as error:
        raise LaketopError(
            f"the workspace runs already, at {contact.url}, without --faults",
            hint="`laketop down` ends it",
        ) from error


def _hidden(contact: Contact) -> str:
    return contact.spark_remote.replace(contact.token, "…")

"""`laketop run`: run a job of the bundle here, starting and deploying what it needs."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from laketop.cli import _project, _runs
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.bundle import Bundle
    from laketop.workspace.daemon import Contact

_LOOK_SECONDS = 0.5


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run a job of the bundle here, starting and deploying what it needs"
    parser = commands.add_parser("run", help=text, description=text + ".")
    parser.add_argument("job", metavar="JOB", help="the key of the job under `resources`")
    parser.add_argument(
        "--params",
        metavar="NAME=VALUE",
        type=_project.pair,
        action="append",
        default=[],
        help="a job parameter; may be repeated",
    )
    parser.add_argument(
        "--only",
        metavar="TASKS",
        help="run these tasks alone, by commas; +a adds what a needs, a+ what needs a",
    )
    parser.add_argument(
        "--task",
        metavar="TASK",
        action="append",
        default=[],
        help="run this task alone; may be repeated, and is one more of --only",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="run again whenever a file of the bundle changes, until Ctrl-C",
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="return once the run is made; print its id"
    )
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the job to its end; 0 on success."""
    if args.watch and args.no_wait:
        raise LaketopError("--watch waits for each run, --no-wait for none", hint="choose one")
    if not args.watch:
        return _run(args)
    return _watch(args)


def _watch(args: argparse.Namespace) -> int:
    """Run the job again whenever the bundle changes; return how the last run ended."""
    from laketop.cli import _console

    code = 1
    try:
        while True:
            before = _stamps(args)
            code = _attempt(args)
            # What the run itself wrote is no change; what was edited meanwhile is one.
            known = _stamps(args)
            if all(known.get(file, stamp) == stamp for file, stamp in before.items()):
                _console.say("waiting for a file of the bundle to change; Ctrl-C ends this")
                while _stamps(args) == known:
                    time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return code


def _attempt(args: argparse.Namespace) -> int:
    """Run the job; what is wrong is said, since the user is about to change it."""
    from laketop.cli import _console

    try:
        return _run(args)
    except LaketopError as error:
        _console.say(f"error: {error}")
        return 1


def _stamps(args: argparse.Namespace) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of the bundle; none while it cannot be read."""
    from laketop.bundle import files_of
    from laketop.cli import validate

    stamps = {}
    try:
        for file in files_of(validate.load(args)):
            told = file.stat()
            stamps[str(file)] = (told.st_size, told.st_mtime_ns)
    except (LaketopError, OSError):
        pass
    return stamps


def _run(args: argparse.Namespace) -> int:
    from laketop.cli import _console, validate

    bundle = validate.load(args)
    if validate.report(bundle, sys.stderr):
        return 1
    bundle.job(args.job)
    contact, job_id = _deployed(args, bundle)
    body: dict[str, Any] = {"job_id": job_id, "job_parameters": dict(args.params)}
    only = [*(args.only.split(",") if args.only else ()), *args.task]
    if only:
        body["only"] = only
    run_id = int(contact.request("POST", "/api/2.2/jobs/run-now", body)["run_id"])
    _console.say(f"run {run_id} of job {args.job}, target {bundle.target}, on the local workspace")
    if args.no_wait:
        _say_id(args, run_id)
        return 0
    try:
        ended = _runs.follow(contact, run_id)
    except KeyboardInterrupt:
        _runs.cancel(contact, run_id)
        _console.say(f"run {run_id} is canceled")
        if args.watch:
            raise
        return 1
    if args.json:
        _console.emit(ended)
    return _runs.report(contact, ended)


def _say_id(args: argparse.Namespace, run_id: int) -> None:
    from laketop.cli import _console

    if args.json:
        _console.emit({"run_id": run_id})
    else:
        print(run_id)
    _console.say(f"hint: `laketop logs {run_id} --follow` shows how it goes")


def _deployed(args: argparse.Namespace, bundle: Bundle) -> tuple[Contact, int]:
    from laketop.cli import _console, validate
    from laketop.workspace import daemon, deployment

    settings = _project.settings(args)
    with _console.Progress() as progress:
        if daemon.find(settings) is None:
            progress.show("starting the workspace")
        contact = daemon.start(settings)
        progress.show(f"deploying target {bundle.target}")
        done = deployment.deploy(lambda: validate.load(args), settings, contact, progress.note)
        contact.wait_for_engine(progress.show)
    return contact, done.jobs[args.job]

"""`laketop run`: run a job or script of the bundle here, starting what it needs."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any

from laketop.cli import _arguments, _project, _runs, _scripts
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact

_LOOK_SECONDS = 0.5


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run a job or script of the bundle here, starting what it needs"
    more = "; what a job needs is deployed too."
    parser = commands.add_parser(
        "run",
        help=text,
        description=text + more,
        usage="laketop run [options] KEY [-- ARGUMENT ...]\n"
        "       laketop run [options] -- COMMAND ...",
        epilog="After `--` come parameters of the job, as `--name value`, or arguments of its"
        " Python tasks; without KEY a command, run with the workspace in its environment.",
    )
    parser.add_argument(
        "job",
        metavar="KEY",
        nargs="?",
        help="the key of the job under `resources`, or one of `scripts`",
    )
    _project.add_params(parser, "a job parameter; may be repeated")
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
        "--restart", action="store_true", help="cancel the runs of the job that are active first"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="return once the run is made; print its id"
    )
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.add_argument(
        "--chaos",
        metavar="seed=N",
        type=_seed,
        help="let attempts crash, start late, come twice or lose their answer, by this seed",
    )
    parser.set_defaults(run=run, wrong=parser.error)


def run(args: argparse.Namespace) -> int:
    """Run the job to its end; 0 on success."""
    if args.job is None and not args.handed_on:
        args.wrong("nothing to run is named: give a KEY, or a command after `--`")
    if args.watch and args.no_wait:
        args.wrong("--watch waits for each run, --no-wait for none: choose one")
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
        _console.explain(f"error: {error}")
        return 1


def _stamps(args: argparse.Namespace) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of the bundle; none while it cannot be read."""
    from laketop.bundle import files_of
    from laketop.cli import validate

    stamps = {}
    try:
        for file in files_of(validate.load(args, find=lambda _kind, _name: None)):
            told = file.stat()
            stamps[str(file)] = (told.st_size, told.st_mtime_ns)
    except (LaketopError, OSError):
        pass
    return stamps


def _run(args: argparse.Namespace) -> int:
    from laketop.cli import _console, validate
    from laketop.workspace import deployment

    bundle = validate.load(args, find=lambda _kind, _name: None)
    if validate.report(bundle, sys.stderr):
        return 1
    if args.job is None or args.job in bundle.scripts:
        return _scripts.run(args, bundle)
    deployment.check_runs(bundle, args.job)
    given = _arguments.fields_of(args.job, bundle.job(args.job).body, args.handed_on)
    contact, job_id = _runs.deployed(args, bundle)
    if args.restart:
        _cancel_active(contact, job_id)
    of_job = {**given.pop("job_parameters", {}), **dict(args.params)}
    body: dict[str, Any] = {"job_id": job_id, "job_parameters": of_job, **given}
    only = [*(args.only.split(",") if args.only else ()), *args.task]
    if only:
        body["only"] = only
    ended = _ended(args, contact, body, bundle.target)
    if ended is None:
        return 0 if args.no_wait else 1
    if args.chaos is not None:
        _say_chaos(contact, ended["run_id"], args.chaos)
    if args.json:
        _console.emit(ended)
    return _runs.report(contact, ended)


def _ended(
    args: argparse.Namespace, contact: Contact, body: dict[str, Any], target: str
) -> dict[str, Any] | None:
    """Make the run and return it once it has ended; None with --no-wait, or canceled."""
    from laketop.cli import _console

    run_id = 0
    try:
        with _runs.uninterrupted():  # a run that nobody knows the id of could not be canceled
            run_id = _started(contact, body, args.chaos)
        _console.say(f"run {run_id} of job {args.job}, target {target}, on the local workspace")
        page = f"{contact.url}/jobs/{body['job_id']}/runs/{run_id}"
        _console.say(f"its page: {page} (`laketop open` signs in)")
        if args.no_wait:
            _say_id(args, run_id)
            return None
        return _runs.follow(contact, run_id)
    except KeyboardInterrupt:
        _runs.cancel(contact, run_id)
        _console.say(f"run {run_id} is canceled")
        _console.say(f"hint: `laketop repair {run_id}` runs what it did not do")
        if args.watch or args.no_wait:
            raise
        return None


def _cancel_active(contact: Contact, job_id: int) -> None:
    from laketop.cli import _console

    path = f"/api/2.2/jobs/runs/list?job_id={job_id}&active_only=true"
    while runs := contact.request("GET", path).get("runs"):
        for run in runs:
            _runs.cancel(contact, int(run["run_id"]))
            _console.say(f"run {run['run_id']} is canceled")


def _say_id(args: argparse.Namespace, run_id: int) -> None:
    from laketop.cli import _console

    if args.json:
        _console.emit({"run_id": run_id})
    else:
        print(run_id)
    _console.say(f"hint: `laketop logs {run_id} --follow` shows how it goes")


def _seed(text: str) -> int:
    name, _, value = text.partition("=")
    if name != "seed" or not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form seed=7")
    return int(value)


def _started(contact: Contact, body: dict[str, Any], seed: int | None) -> int:
    """Start the run; under chaos the wish is sent twice, as if its answer had been lost."""
    if seed is not None:
        body = {**body, "chaos_seed": seed, "idempotency_token": secrets.token_hex(16)}
        contact.request("POST", "/api/2.2/jobs/run-now", body)
    return int(contact.request("POST", "/api/2.2/jobs/run-now", body)["run_id"])


def _say_chaos(contact: Contact, run_id: int, seed: int) -> None:
    from laketop.cli import _console

    notes = contact.request("GET", f"/api/laketop/1/runs/{run_id}/chaos")["notes"]
    _console.say(f"chaos with seed {seed}: the wish to run was sent twice, and made one run")
    for note in notes:
        place = "" if note["place"] == note["task_key"] else f"[{note['place']}]"
        where = f"{note['task_key']}{place}, attempt {note['attempt']}"
        _console.say(f"chaos with seed {seed}: {where}: {note['did']}")

"""`laketop backfill`: run a job of the bundle once for each past time from one day to another."""

from __future__ import annotations

import argparse
import collections
import sys
from typing import Any

from laketop.cli import _project, _times


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run a job of the bundle once for each past time from one day to another"
    more = (
        ". Job parameters whose default has {{job.trigger.time.…}} or {{job.start_time.…}} get the"
        " time that is filled in; --params can name it as {{backfill.iso_datetime}}."
    )
    parser = commands.add_parser("backfill", help=text, description=text + more)
    parser.add_argument("job", metavar="JOB", help="the key of the job under `resources`")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", type=_times.when, required=True, help="included"
    )
    parser.add_argument(
        "--to",
        dest="end",
        metavar="TIME",
        type=_times.end,
        required=True,
        help="not included; of a date the whole day is",
    )
    parser.add_argument(
        "--every", metavar="SPAN", type=_times.span, help="such as 1d (default: the job's schedule)"
    )
    _project.add_params(parser, "a job parameter; may be repeated")
    parser.add_argument(
        "--no-wait", action="store_true", help="return once the runs are made; print their ids"
    )
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the runs and wait for them; 0 if all succeed."""
    from laketop.cli import _console, _runs, validate
    from laketop.cli._graph import word_of

    bundle = validate.load(args, find=lambda _kind, _name: None)
    if validate.report(bundle, sys.stderr):
        return 1
    bundle.job(args.job)
    contact, job_id = _runs.deployed(args, bundle)
    body: dict[str, Any] = {
        "job_id": job_id,
        "from_ms": args.start,
        "to_ms": args.end,
        "job_parameters": dict(args.params),
    }
    if args.every is not None:
        body["every_ms"] = args.every
    made = contact.request("POST", "/api/laketop/1/backfills", body)["runs"]
    _console.say(f"{len(made)} runs of job {args.job}, target {bundle.target}")
    if not args.no_wait:
        for each in made:
            ended = _runs.wait(contact, each["run_id"])
            each["result"] = word_of(ended)
            _console.say(f"{_times.shown(each['time_ms'])}: run {each['run_id']} {each['result']}")
        words = collections.Counter(each["result"] for each in made)
        _console.say(", ".join(f"{count} {word}" for word, count in sorted(words.items())))
    if args.json:
        _console.emit(made)
    elif args.no_wait:
        print("\n".join(str(each["run_id"]) for each in made))
    good = {"SUCCESS", "SUCCESS_WITH_FAILURES", None}
    return 0 if {each.get("result") for each in made} <= good else 1

"""`laketop repair`: run tasks of a run that has ended again, under the run's own id."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project, _runs


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run tasks of a run that has ended again, under the run's own id"
    parser = commands.add_parser("repair", help=text, description=text + ".")
    _runs.add_run(parser)
    parser.add_argument(
        "--tasks", metavar="TASKS", help="run these tasks again, by commas, instead of all failed"
    )
    parser.add_argument(
        "--dependents", action="store_true", help="run everything downstream of them again too"
    )
    _project.add_params(parser, "another value of a job parameter; may be repeated")
    parser.add_argument("--no-wait", action="store_true", help="return once the repair has begun")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Repair the run and follow it to its end; 0 on success."""
    from laketop.cli import _console

    contact, run_id = _runs.reach(args)
    past = contact.request("GET", f"/api/2.2/jobs/runs/get?run_id={run_id}&include_history=true")
    body: dict[str, Any] = {
        "run_id": run_id,
        "rerun_dependent_tasks": args.dependents,
        "job_parameters": dict(args.params),
    }
    if args.tasks:
        body["rerun_tasks"] = args.tasks.split(",")
    else:
        body["rerun_all_failed_tasks"] = True
    last = past["repair_history"][-1].get("id")
    if last is not None:
        body["latest_repair_id"] = last
    repair_id = contact.request("POST", "/api/2.2/jobs/runs/repair", body)["repair_id"]
    _console.say(f"repair {repair_id} of run {run_id}")
    if args.no_wait:
        if args.json:
            _console.emit({"run_id": run_id, "repair_id": repair_id})
        return 0
    ended = _runs.follow(contact, run_id)
    if args.json:
        _console.emit(ended)
    return _runs.report(contact, ended)

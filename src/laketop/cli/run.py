"""`laketop run`: run a job of the bundle here, starting and deploying what it needs."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact

_FINAL = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
_TAIL_LINES = 25


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
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the job to its end; 0 on success."""
    from laketop.cli import _console, validate

    bundle = validate.load(args)
    if validate.report(bundle, sys.stderr):
        return 1
    bundle.job(args.job)
    parameters = dict(args.params)
    contact, job_id = _deployed(args, bundle)
    body: dict[str, Any] = {"job_id": job_id, "job_parameters": parameters}
    if args.only:
        body["only"] = args.only.split(",")
    run_id = int(contact.request("POST", "/api/2.2/jobs/run-now", body)["run_id"])
    _console.say(f"run {run_id} of job {args.job}, target {bundle.target}, on the local workspace")
    try:
        ended = follow(contact, run_id)
    except KeyboardInterrupt:
        _cancel(contact, run_id)
        _console.say(f"run {run_id} is canceled")
        return 1
    if args.json:
        _console.emit(ended)
    return _report(contact, ended)


def _deployed(args: argparse.Namespace, bundle: Any) -> tuple[Contact, int]:
    from laketop.cli import _console, up, validate
    from laketop.workspace import daemon, deployment

    settings = _project.settings(args)
    with _console.Progress() as progress:
        if daemon.find(settings) is None:
            progress.show("starting the workspace")
        contact = daemon.start(settings)
        progress.show(f"deploying target {bundle.target}")
        done = deployment.deploy(lambda: validate.load(args), settings, contact, progress.note)
        up.wait_for_engine(contact, progress)
    return contact, done.jobs[args.job]


def follow(contact: Contact, run_id: int) -> dict[str, Any]:
    """Show the run until it ends, and return it."""
    from laketop.cli._graph import RunView

    with RunView() as view:
        while True:
            told: dict[str, Any] = contact.request("GET", f"/api/2.2/jobs/runs/get?run_id={run_id}")
            view.show(told)
            if told["state"]["life_cycle_state"] in _FINAL:
                return told
            time.sleep(0.15)


def _cancel(contact: Contact, run_id: int) -> None:
    """Cancel the run and wait until none of its processes is left."""
    contact.request("POST", "/api/2.2/jobs/runs/cancel", {"run_id": run_id})
    while True:
        told = contact.request("GET", f"/api/2.2/jobs/runs/get?run_id={run_id}")
        if told["state"]["life_cycle_state"] in _FINAL:
            return
        time.sleep(0.1)


def _report(contact: Contact, ended: dict[str, Any]) -> int:
    from laketop.cli import _console
    from laketop.cli._graph import latest, seconds_of, word_of

    seconds = seconds_of(ended)
    word = word_of(ended)
    for task in latest(ended):
        if word_of(task) in {"FAILED", "TIMEDOUT"}:
            _explain(contact, task)
    _console.say(f"run {ended['run_id']}: {word} in {seconds:.1f} s")
    _console.say(f"what its tasks printed: .laketop/runs/{ended['run_id']}")
    return 0 if word in {"SUCCESS", "SUCCESS_WITH_FAILURES"} else 1


def _explain(contact: Contact, task: dict[str, Any]) -> None:
    """Print why a task failed: its error, the end of what it printed, and where the rest is."""
    from laketop.cli import _console

    output = contact.request("GET", f"/api/2.2/jobs/runs/get-output?run_id={task['run_id']}")
    path = f"/api/laketop/1/runs/{task['run_id']}/log"
    lines = contact.request_raw("GET", path).decode("utf-8", errors="replace").splitlines()
    why = output.get("error") or task["state"].get("state_message", "")
    _console.say(f"task {task['task_key']} failed: {_without_jvm(why.splitlines())}")
    for line in _without_jvm(lines).splitlines()[-_TAIL_LINES:]:
        _console.say(f"  | {line}")
    folder = f".laketop/runs/{task['job_run_id']}/{task['run_id']}"
    _console.say(f"  its whole output: {folder}/output.log")


def _without_jvm(lines: list[str]) -> str:
    """Return the lines without the frames of the JVM, which tell a user of Spark nothing."""
    kept = (
        line for line in lines if not line.lstrip().startswith(("at ", "JVM stacktrace:", "... "))
    )
    return "\n".join(kept).strip()

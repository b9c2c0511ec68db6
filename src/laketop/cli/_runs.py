"""Runs, as commands follow, end and report them."""

from __future__ import annotations

import contextlib
import functools
import signal
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from laketop.cli import _project
from laketop.errors import LaketopError

if TYPE_CHECKING:
    import argparse

    from laketop.bundle import Bundle
    from laketop.cli._silence import Silence
    from laketop.workspace.daemon import Contact

FINAL = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
LAST = "last"
"""What stands for the newest run where a command takes one."""
_TAIL_LINES = 25
FAILED = frozenset({"FAILED", "TIMEDOUT"})
_GOOD = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a run."""
    parser.add_argument("run_id", metavar="RUN", help=f"the id of a run, or `{LAST}`")


def reach(args: argparse.Namespace) -> tuple[Contact, int]:
    """Return the workspace that is running, and the id of the run that `args` names.

    Errors: LaketopError where none is running, for what is no id, and if there is no run yet.
    """
    from laketop.workspace import daemon

    settings = _project.settings(args)
    contact = daemon.find(settings)
    if contact is None:
        raise LaketopError(
            f"no workspace is running for {settings.root}", hint="`laketop up` starts it"
        )
    if args.run_id == LAST:
        runs = contact.request("GET", "/api/2.2/jobs/runs/list?limit=1").get("runs")
        if not runs:
            raise LaketopError("there is no run yet", hint="`laketop run JOB` makes one")
        return contact, int(runs[0]["run_id"])
    if not args.run_id.isdecimal():
        raise LaketopError(
            f"{args.run_id!r} is no id of a run", hint="`laketop status` lists the latest runs"
        )
    return contact, int(args.run_id)


def get(contact: Contact, run_id: int) -> dict[str, Any]:
    """Return a run with all of its tasks; of an active one when it changes, or after a second."""
    path = f"/api/2.2/jobs/runs/get?run_id={run_id}"
    whole: dict[str, Any] = contact.request("GET", path)
    token = whole.pop("next_page_token", None)
    while token:
        page = contact.request("GET", f"{path}&page_token={token}")
        for name in ("tasks", "iterations"):
            whole[name] = [*whole.get(name, ()), *page.get(name, ())]
        token = page.get("next_page_token")
    return whole


def is_final(run: dict[str, Any]) -> bool:
    """Return whether a run, or the run of a task, has ended."""
    return run["state"]["life_cycle_state"] in FINAL


def deployed(args: argparse.Namespace, bundle: Bundle) -> tuple[Contact, int]:
    """Start what is needed, deploy the bundle, and return the workspace and the job's id."""
    from laketop.cli import _console, validate
    from laketop.workspace import daemon, deployment

    settings = _project.settings(args)
    with _console.Progress() as progress:
        if daemon.find(settings) is None:
            progress.show("starting the workspace")
        contact, is_ours = daemon.started(settings)
        progress.show(f"deploying target {bundle.target}")
        find = deployment.local_finder(contact)
        done = deployment.deploy(
            lambda: validate.load(args, find=find), settings, contact, progress.note
        )
        daemon.wait_for_engine(settings, contact, is_ours=is_ours, show=progress.show)
    return contact, done.jobs[args.job]


def wait(contact: Contact, run_id: int) -> dict[str, Any]:
    """Wait until the run ends, and return it."""
    while not is_final(told := get(contact, run_id)):
        time.sleep(0.15)
    return told


def follow(contact: Contact, run_id: int) -> dict[str, Any]:
    """Show the run until it ends, and return it."""
    from laketop.cli import _console
    from laketop.cli._graph import RunView

    silence = silence_of(contact)
    with RunView() as view:
        while True:
            told = get(contact, run_id)
            view.show(told)
            if is_final(told):
                return told
            for line in silence.look(told, time.monotonic()):
                _console.say(line)
            time.sleep(0.15)


def silence_of(contact: Contact) -> Silence:
    """Return what tells the last words of silent tasks of this workspace."""
    from laketop.cli._silence import Silence

    return Silence(functools.partial(log, contact), functools.partial(_started_by, contact))


def _started_by(contact: Contact, task: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the run that a task of the type run_job has started, None where there is none."""
    if "run_job_task" not in task:
        return None
    child = output_of(contact, task).get("run_job_output")
    return get(contact, child["run_id"]) if child else {}


def cancel(contact: Contact, run_id: int) -> dict[str, Any]:
    """Cancel the run, wait until none of its processes is left, and return it."""
    with uninterrupted():
        contact.request("POST", "/api/2.2/jobs/runs/cancel", {"run_id": run_id})
    while not is_final(told := get(contact, run_id)):
        time.sleep(0.1)
    return told


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a Ctrl-C wait until the block, a request, is done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def attempts(contact: Contact, run: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the latest attempt of each task that printed something of its own, by a name.

    Iterations of a for_each task are named `task[0]`, `task[1]` …
    """
    from laketop.cli._graph import latest

    for task in latest(run):
        if "for_each_task" not in task:
            yield task["task_key"], task
            continue
        newest: dict[int, dict[str, Any]] = {}
        for one in get(contact, task["run_id"]).get("iterations", ()):
            newest[one["original_attempt_run_id"]] = one
        for number, one in enumerate(newest.values()):
            yield f"{task['task_key']}[{number}]", one


def log(contact: Contact, task_run_id: int, offset: int = 0) -> bytes:
    """Return what an attempt has printed so far, from a byte on."""
    return contact.request_raw("GET", f"/api/laketop/1/runs/{task_run_id}/log?offset={offset}")


def report(contact: Contact, ended: dict[str, Any]) -> int:
    """Say how a run ended and why its tasks failed; return the exit code of a command."""
    from laketop.cli import _console
    from laketop.cli._graph import seconds_of, word_of

    word = word_of(ended)
    _explain_failed(contact, ended)
    _console.say(f"run {ended['run_id']}: {word} in {seconds_of(ended):.1f} s")
    _console.say(f"what its tasks printed: .laketop/runs/{ended['run_id']}")
    if word in _GOOD:
        return 0
    _console.say(f"hint: `laketop repair {ended['run_id']}` runs again what did not succeed")
    return 1


def _explain_failed(contact: Contact, run: dict[str, Any], within: str = "") -> None:
    from laketop.cli._graph import word_of

    for name, task in attempts(contact, run):
        if word_of(task) in FAILED:
            _explain(contact, within + name, task)


def _explain(contact: Contact, name: str, task: dict[str, Any]) -> None:
    """Print why a task failed: its error, the end of what it printed, and where the rest is.

    Of a task that ran another job, why the tasks of that run failed comes instead of its output.
    """
    from laketop.cli import _console
    from laketop.runner import engine_end, full_disk

    output = output_of(contact, task)
    why = say_why(name, task, output)
    if child := output.get("run_job_output"):
        _explain_failed(contact, get(contact, child["run_id"]), f"{name} > ")
        return
    if not why.startswith((engine_end.SENTENCE, full_disk.SENTENCE)):
        lines = log(contact, task["run_id"]).decode("utf-8", errors="replace").splitlines()
        for line in without_jvm(lines).splitlines()[-_TAIL_LINES:]:
            _console.say(f"  | {line}")
    run_id = output["metadata"]["job_run_id"]
    _console.say(f"  its whole output: .laketop/runs/{run_id}/{task['run_id']}/output.log")


def say_why(name: str, task: dict[str, Any], output: dict[str, Any]) -> str:
    """Print the error of a task, which its output tells, and return it."""
    from laketop.cli import _console

    why = str(output.get("error") or task["state"].get("state_message", ""))
    first, *more = without_jvm(why.splitlines()).splitlines() or [""]
    _console.say(f"task {name} failed: {first}")
    for line in more:
        _console.say(f"  {line}")
    return why


def output_of(contact: Contact, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `runs/get-output` tells of an attempt."""
    path = f"/api/2.2/jobs/runs/get-output?run_id={task['run_id']}"
    told: dict[str, Any] = contact.request("GET", path)
    return told


def without_jvm(lines: list[str]) -> str:
    """Return the lines without the frames of the JVM, which tell a user of Spark nothing."""
    kept = (
        line for line in lines if not line.lstrip().startswith(("at ", "JVM stacktrace:", "... "))
    )
    return "\n".join(kept).strip()

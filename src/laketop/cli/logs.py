"""`laketop logs`: what the tasks of a run have printed."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from laketop.cli import _project, _runs
from laketop.errors import LaketopError, printable

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "what the tasks of a run have printed"
    parser = commands.add_parser("logs", help=text, description=text + ".")
    _runs.add_run(parser)
    parser.add_argument("--task", metavar="TASK", help="only this task")
    parser.add_argument("--follow", action="store_true", help="go on until the run has ended")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the logs of the run's tasks, each line with its task where there are several."""
    from laketop.cli import _console

    contact, run_id = _runs.reach(args)
    printer = _Printer(contact, args.task)
    while True:
        told = _runs.get(contact, run_id)
        printer.look(told, to_print=not args.json)
        if not args.follow or _runs.is_final(told):
            break
        time.sleep(0.1)
    if args.json:
        _console.emit(printer.texts())
    else:
        printer.say_failures()
    return 0


class _Printer:
    # Prints whole lines as they come, of all attempts of the tasks that are asked for.
    def __init__(self, contact: Contact, task: str | None) -> None:
        self._contact = contact
        self._task = task
        self._told: dict[tuple[str, int], bytearray] = {}
        self._printed: dict[tuple[str, int], int] = {}
        self._silent: dict[str, dict[str, Any]] = {}

    def look(self, run: dict[str, Any], *, to_print: bool) -> None:
        from laketop.cli._graph import word_of

        keys = {task["task_key"] for task in run.get("tasks", [])}
        if self._task is not None and self._task not in keys:
            raise LaketopError(
                f"run {run['run_id']} has no task {self._task!r}",
                hint=f"its tasks are {', '.join(sorted(keys))}",
            )
        for name, attempt in _runs.attempts(self._contact, run):
            if self._task not in {None, name.partition("[")[0]}:
                continue
            told = self._told.setdefault((name, attempt["run_id"]), bytearray())
            told += _runs.log(self._contact, attempt["run_id"], len(told))
            if not told and word_of(attempt) in _runs.FAILED:
                self._silent[name] = attempt
            if to_print:
                is_only = self._task is not None or len(keys) == 1
                self._print(name, attempt, prefix="" if is_only else printable(f"{name} | "))

    def say_failures(self) -> None:
        """Say why tasks failed that have printed nothing: their processes never began."""
        for name, attempt in self._silent.items():
            _runs.say_why(name, attempt, _runs.output_of(self._contact, attempt))

    def texts(self) -> dict[str, str]:
        """Return what was printed, by task; the latest attempt counts."""
        return {name: told.decode(errors="replace") for (name, _), told in self._told.items()}

    def _print(self, name: str, attempt: dict[str, Any], *, prefix: str) -> None:
        place = (name, attempt["run_id"])
        told, start = self._told[place], self._printed.get(place, 0)
        end = len(told) if _runs.is_final(attempt) else told.rfind(b"\n") + 1
        for line in bytes(told[start:end]).decode(errors="replace").splitlines():
            print(f"{prefix}{line}")
        self._printed[place] = max(start, end)
        sys.stdout.flush()

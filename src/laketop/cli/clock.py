"""`laketop clock`: show and move the workspace's clock, and fire what is due on the way."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from laketop.cli import _project, _times

if TYPE_CHECKING:
    from laketop.workspace.daemon import Contact

_PATH = "/api/laketop/1/clock"
_LOOK_SECONDS = 0.1


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "show and move the workspace's clock, and fire what is due on the way"
    parser = commands.add_parser("clock", help=text, description=text + ".")
    parser.add_argument(
        "move",
        metavar="show|set|advance|run",
        nargs="?",
        choices=tuple(_BODIES),
        default="show",
        help="show: the time there, and what is due next (the default); set: let it be another"
        " time; advance: move ahead by a span; run: move ahead until something has fired",
    )
    parser.add_argument(
        "value",
        nargs="?",
        help="of set: such as 2026-03-08T02:30:00+01:00, or real for the machine's own time; of"
        " advance: such as 90d, 36h or 1d12h; of run: how many firings (default: 1)",
    )
    _project.add_options(parser)
    parser.set_defaults(run=run, refuse=parser.error)


def _no_value(text: str | None) -> dict[str, Any]:
    if text is not None:
        raise argparse.ArgumentTypeError(f"show takes no {text!r}")
    return {}


def _time(text: str | None) -> dict[str, Any]:
    return {"now_ms": _times.when_or_real(text or "")}


def _span(text: str | None) -> dict[str, Any]:
    return {"by_ms": _times.span(text or "")}


def _count(text: str | None) -> dict[str, Any]:
    if text is not None and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of firings")
    return {"firings": int(text or 1)}


_BODIES = {"show": _no_value, "set": _time, "advance": _span, "run": _count}


def run(args: argparse.Namespace) -> int:
    """Show the clock, or move it and wait until that is done; 0 if no run on the way failed."""
    from laketop.cli import _console
    from laketop.workspace import daemon

    try:
        body = _BODIES[args.move](args.value)
    except argparse.ArgumentTypeError as error:
        args.refuse(str(error))
    is_moved = args.move != "show"
    with _console.Progress() as progress:
        settings = _project.settings(args)
        if is_moved:
            contact = daemon.ready(settings, progress.show)
            contact.request("POST", f"{_PATH}/{args.move}", body)
        else:
            contact = daemon.start(settings)
        told = _followed(contact, progress)
    if args.json:
        _console.emit(told)
    else:
        _show(told, is_moved=is_moved)
    return _code(told) if is_moved else 0


def _followed(contact: Contact, progress: Any) -> dict[str, Any]:
    try:
        while True:
            told: dict[str, Any] = contact.request("GET", _PATH)
            if not told["is_moving"]:
                return told
            count = told["last_move"]["runs"]
            progress.show(f"{_times.shown(told['now_ms'])}: {count} runs so far")
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        contact.request("POST", f"{_PATH}/stop")
        raise


def _show(told: dict[str, Any], *, is_moved: bool) -> None:
    from laketop.cli import _console

    last = told["last_move"]
    if is_moved and last is not None:
        words = ", ".join(f"{count} {word}" for word, count in sorted(last["results"].items()))
        _console.say(f"{last['runs']} runs{': ' + words if words else ''}")
        if last["error"]:
            _console.say(f"error: {last['error']}")
    away = "" if told["offset_ms"] == 0 else ", moved: `laketop clock set real` goes back"
    _console.say(f"it is {_times.shown(told['now_ms'])}{away}")
    if told["coming"]:
        _console.table(
            ("due", "job", "trigger"),
            [(_times.shown(c["due_ms"]), c["name"], c["trigger"]) for c in told["coming"]],
        )
    else:
        _console.say("nothing is due: no schedule or trigger is active")


def _code(told: dict[str, Any]) -> int:
    last = told["last_move"] or {"error": "", "results": {}}
    good = {"SUCCESS", "SUCCESS_WITH_FAILURES"}
    return 1 if last["error"] or set(last["results"]) - good else 0

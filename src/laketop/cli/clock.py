"""`laketop clock`: shows and moves the workspace's clock, and fires what is due on the way."""

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
    text = "shows and moves the workspace's clock, and fires what is due on the way"
    parser = commands.add_parser("clock", help=text, description=text + ".")
    _project.add_options(parser)
    parser.set_defaults(run=run, move=None, call=None)
    moves = parser.add_subparsers(title="what to do", metavar="show|set|advance|run")
    moves.add_parser("show", help="what time it is there, and what is due next (the default)")
    other = moves.add_parser("set", help="let it be another time; on the way ahead all fires")
    other.add_argument(
        "when",
        type=_times.when_or_real,
        help="such as 2026-03-08 or 2026-03-08T02:30:00+01:00; real = the machine's own time",
    )
    other.set_defaults(move="set", call=lambda args: {"now_ms": args.when})
    ahead = moves.add_parser("advance", help="move ahead, and fire all that is due, in order")
    ahead.add_argument("span", type=_times.span, help="such as 90d, 36h or 1d12h")
    ahead.set_defaults(move="advance", call=lambda args: {"by_ms": args.span})
    on = moves.add_parser("run", help="move ahead until something has fired")
    on.add_argument("firings", nargs="?", type=int, default=1, help="how many times (default: 1)")
    on.set_defaults(move="run", call=lambda args: {"firings": args.firings})


def run(args: argparse.Namespace) -> int:
    """Show the clock, or move it and wait until that is done; 0 if no run on the way failed."""
    from laketop.cli import _console
    from laketop.workspace import daemon

    with _console.Progress() as progress:
        contact = daemon.start(_project.settings(args))
        if args.move is not None:
            contact.wait_for_engine(progress.show)
            contact.request("POST", f"{_PATH}/{args.move}", args.call(args))
        told = _followed(contact, progress)
    if args.json:
        _console.emit(told)
    else:
        _show(told, is_moved=args.move is not None)
    return _code(told) if args.move is not None else 0


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
    _console.table(
        ("due", "job", "trigger"),
        [(_times.shown(c["due_ms"]), c["name"], c["trigger"]) for c in told["coming"]],
    )


def _code(told: dict[str, Any]) -> int:
    last = told["last_move"] or {"error": "", "results": {}}
    good = {"SUCCESS", "SUCCESS_WITH_FAILURES"}
    return 1 if last["error"] or set(last["results"]) - good else 0

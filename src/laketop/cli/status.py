"""`laketop status`: show what is running: workspace, engine, latest runs."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "show what is running: workspace, engine, latest runs"
    parser = commands.add_parser("status", help=text, description=text + ".")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the state of the project's workspace."""
    from laketop.cli import _console
    from laketop.settings import workspace_folder
    from laketop.workspace import daemon

    settings = _project.settings(args)
    contact = daemon.find(settings)
    if contact is None:
        if args.json:
            _console.emit({"running": False, "root": str(settings.root)})
        else:
            _console.tell(f"no workspace is running for {settings.root}")
            _console.say("hint: `laketop up` starts it, `laketop run JOB` does so by itself")
        return 0
    engine = contact.request("GET", "/api/laketop/1/engine")
    runs = contact.request("GET", "/api/2.2/jobs/runs/list?limit=5").get("runs", [])
    if args.json:
        told = {"running": True, "root": str(settings.root), "url": contact.url}
        told["workspace"] = contact.workspace
        _console.emit({**told, "pid": contact.pid, "engine": engine, "runs": runs})
        return 0
    process = f"process {engine['pid']}, log {engine['log']}"
    rows = [
        ("project", str(settings.root)),
        ("workspace", f"{contact.workspace}  {contact.url}  (process {contact.pid})"),
        ("runtime", f"{engine['runtime']}  (Spark {engine['spark']})"),
        ("engine", f"{engine['phase']}  ({process})"),
        ("state", str(workspace_folder(settings.state, contact.workspace))),
    ]
    for name, value in rows:
        _console.tell(f"{name:<10} {value}")
    if runs:
        shown = [(r["run_id"], r.get("run_name", ""), *_ending(r)) for r in runs]
        _console.table(("run", "job", "state", "message"), shown, title="latest runs")
    return 0


def _ending(run: dict[str, Any]) -> tuple[str, str]:
    state = run.get("state", {})
    word = state.get("result_state") or state.get("life_cycle_state", "")
    return word, state.get("state_message", "")

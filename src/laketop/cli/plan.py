"""`laketop plan`: show what a deployment would create, change and delete."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from laketop.cli import _deploying

if TYPE_CHECKING:
    from laketop.workspace.deployment import Plan
    from laketop.workspace.deployment.planning import Step

_LONGEST = 60


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "show what a deployment would create, change and delete"
    parser = commands.add_parser(
        "plan", help=text, description=text + ", and which fields; nothing is written."
    )
    _deploying.add_options(parser)
    _deploying.add_select_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    from laketop.cli import _console
    from laketop.workspace import deployment

    with _deploying.site(args) as opened:
        plan = deployment.plan_of(opened.site, opened.bundle, args.select)
    if args.json:
        _console.emit(plan.as_dict())
        return 0
    for line in lines_of(plan):
        _console.tell(line)
    return 0


def lines_of(plan: Plan) -> list[str]:
    """Return the plan as text: a line a step, below it a line a changed field."""
    lines = [line for step in plan.changing for line in lines_of_step(step)]
    return [*lines, plan.summary]


def lines_of_step(step: Step) -> list[str]:
    """Return one step as text."""
    lines = [f"{step.action} {step.name}"]
    for edit in step.edits:
        by = " (changed in the workspace)" if edit.by == "workspace" else ""
        lines.append(f"  {edit.path}: {_shown(edit.old)} -> {_shown(edit.new)}{by}")
    return lines


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""`laketop validate`: check the databricks.yml and print every problem with its place."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from laketop.cli import _project
from laketop.errors import printable

if TYPE_CHECKING:
    from laketop.bundle import Bundle, Find


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "check the databricks.yml and print every problem with its place"
    parser = commands.add_parser("validate", help=text, description=text + ".")
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the problems and a summary; 1 where there is an error, or a warning with --strict."""
    from laketop.cli import _console

    bundle = load(args, find=lambda _kind, _name: None, lint=True)
    errors = report(bundle, sys.stderr)
    found = [p.severity for p in bundle.problems]
    failed = bool(errors) or (args.strict and "warning" in found)
    if args.json:
        _console.emit(resolved(bundle))
        return 1 if failed else 0
    _console.tell(f"Name:      {bundle.name}")
    _console.tell(f"Target:    {bundle.target}")
    _console.tell(f"Workspace: local, path {bundle.workspace.root_path}")
    for kind, resources in bundle.resources.items():
        for key in resources:
            _console.tell(f"  {kind}.{key}")
    print(summary(found))
    return 1 if failed else 0


def summary(found: list[str]) -> str:
    """Return one line on the severities of all findings.

    >>> summary(["error", "warning", "warning"])
    'Found 1 error and 2 warnings'
    """
    counted = [
        f"{found.count(severity)} {severity}{'' if found.count(severity) == 1 else 's'}"
        for severity in ("error", "warning", "recommendation")
        if severity in found
    ]
    if not counted:
        return "Validation OK!"
    *first, last = counted
    return f"Found {', '.join(first)} and {last}" if first else f"Found {last}"


def load(args: argparse.Namespace, find: Find | None = None, *, lint: bool = False) -> Bundle:
    """Return the bundle of the project that `args` names, for the target it names.

    `find` and `lint` are those of `laketop.bundle.load`.
    """
    from laketop import bundle
    from laketop.settings import Settings

    root = _project.root(args)
    settings = Settings.read(root)
    return bundle.load(
        root,
        target=args.target,
        variables=given(args.var),
        environment=settings.environment,
        user=settings.user,
        force=args.force,
        find=find,
        lint=lint,
    )


def given(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the variables of the command line; `a=1,b=2` in one option are two.

    Errors: ConfigError for a variable that is given twice.
    """
    import re

    from laketop.errors import ConfigError

    made: dict[str, str] = {}
    for pair in pairs:
        for part in re.split(r",(?=[A-Za-z_][\w-]*=)", "=".join(pair)):
            name, _, value = part.partition("=")
            if name in made:
                raise ConfigError(
                    f"the variable {name!r} is given twice: {made[name]!r} and {value!r}",
                    hint=f"keep one --var {name}=...",
                )
            made[name] = value
    return made


def report(bundle: Bundle, stream: Any) -> int:
    """Print the bundle's problems, and return how many of them are errors."""
    for problem in bundle.problems:
        told = f"{problem.severity.capitalize()}: {problem.message}"
        print(printable(told, keep="\n\t"), file=stream)
        if problem.path:
            print(printable(f"  at {problem.path}"), file=stream)
        if problem.file:
            print(printable(f"  in {problem.file}:{problem.line}:{problem.column}"), file=stream)
        if problem.code:
            print(printable(f"  see docs/lint/{problem.code}.md"), file=stream)
        if problem.hint:
            print(printable(f"  hint: {problem.hint}"), file=stream)
    return sum(problem.severity == "error" for problem in bundle.problems)


def resolved(bundle: Bundle) -> dict[str, Any]:
    """Return the resolved tree, in the form in which bundles are written, and the problems."""
    import dataclasses

    return {
        **bundle.configuration,
        "problems": [dataclasses.asdict(problem) for problem in bundle.problems],
    }

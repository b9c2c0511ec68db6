"""`laketop validate`: check the databricks.yml and print every problem with its place."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.bundle import Bundle, Find


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "check the databricks.yml and print every problem with its place"
    parser = commands.add_parser("validate", help=text, description=text + ".")
    _project.add_options(parser)
    _project.add_bundle_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the problems and a summary; 1 where there is an error."""
    from laketop.cli import _console

    bundle = load(args, find=lambda _kind, _name: None, lint=True)
    errors = report(bundle, sys.stderr)
    if args.json:
        _console.emit(resolved(bundle))
        return 1 if errors else 0
    print(f"Name:      {bundle.name}")
    print(f"Target:    {bundle.target}")
    print(f"Workspace: local, path {bundle.workspace.root_path}")
    for kind, resources in bundle.resources.items():
        for key in resources:
            print(f"  {kind}.{key}")
    found = [p.severity for p in bundle.problems]
    if not found:
        print("Validation OK!")
    else:
        print(f"Found {_count(found, 'error')} and {_count(found, 'warning')}")
    return 1 if errors else 0


def load(args: argparse.Namespace, find: Find | None = None, *, lint: bool = False) -> Bundle:
    """Return the bundle of the project that `args` names, for the target it names.

    `find` and `lint` are those of `laketop.bundle.load`.
    """
    from laketop import bundle
    from laketop.settings import Settings

    root = bundle.find_root(_path(args.project))
    settings = Settings.read(root)
    return bundle.load(
        root,
        target=args.target,
        variables=dict(args.var),
        environment=settings.environment,
        user=settings.user,
        find=find,
        lint=lint,
    )


def report(bundle: Bundle, stream: Any) -> int:
    """Print the bundle's problems, and return how many of them are errors."""
    for problem in bundle.problems:
        print(f"{problem.severity.capitalize()}: {problem.message}", file=stream)
        if problem.path:
            print(f"  at {problem.path}", file=stream)
        if problem.file:
            print(f"  in {problem.file}:{problem.line}:{problem.column}", file=stream)
        if problem.code:
            print(f"  see docs/lint/{problem.code}.md", file=stream)
        if problem.hint:
            print(f"  hint: {problem.hint}", file=stream)
    return sum(problem.severity == "error" for problem in bundle.problems)


def resolved(bundle: Bundle) -> dict[str, Any]:
    """Return the resolved bundle as JSON-able data."""
    import dataclasses

    return {
        "bundle": {"name": bundle.name, "target": bundle.target, "mode": bundle.mode},
        "workspace": dataclasses.asdict(bundle.workspace),
        "variables": dict(bundle.variables),
        "resources": {
            kind: {key: resource.body for key, resource in resources.items()}
            for kind, resources in bundle.resources.items()
        },
        "problems": [dataclasses.asdict(problem) for problem in bundle.problems],
    }


def _path(text: str) -> Any:
    from pathlib import Path

    return Path(text)


def _count(found: list[str], severity: str) -> str:
    number = found.count(severity)
    return f"{number} {severity}{'' if number == 1 else 's'}"

"""`laketop version`: show the versions of laketop, Spark, Delta, MLflow and Python."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "show the versions of laketop, Spark, Delta, MLflow and Python"
    parser = commands.add_parser("version", help=text, description=text)
    parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the versions."""
    from laketop.cli import _console

    found = versions()
    if args.json:
        _console.emit(found)
    else:
        print("\n".join(f"{name:<8} {version}" for name, version in found.items()))
    return 0


def versions() -> dict[str, str]:
    """Return name → version of everything that decides how a project behaves."""
    import importlib.metadata
    import platform

    from laketop import __version__

    found = {"laketop": __version__}
    packages = {"spark": "pyspark", "delta": "delta-spark", "mlflow": "mlflow"}
    for name, package in packages.items():
        try:
            found[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found | {"python": platform.python_version()}

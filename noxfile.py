"""The checks and the demo: `nox` runs every check, `nox -s demo` the twelve steps."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "unit", "property", "integration"]

ROOT = Path(__file__).parent
ENVIRONMENT = str(ROOT / ".nox" / "laketop")
"""One environment serves every session that runs laketop: Spark alone weighs 450 MB."""


def install(session: nox.Session) -> None:
    """Install exactly what requirements/dev.txt pins, and laketop itself, editable."""
    session.install("--require-hashes", "-r", "requirements/dev.txt", "--compile-bytecode")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


@nox.session(venv_location=ENVIRONMENT)
def lint(session: nox.Session) -> None:
    """Check the style, and that rooms import only downward."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")
    session.run("python", "scripts/build_jvm.py", "--check")


@nox.session(venv_location=ENVIRONMENT)
def types(session: nox.Session) -> None:
    """Check the types, strictly."""
    install(session)
    session.run("mypy")


@nox.session(venv_location=ENVIRONMENT)
def unit(session: nox.Session) -> None:
    """Run the unit tests of laketop and of the reference project."""
    install(session)
    session.run("pytest", "tests/unit", "examples/flights/tests/unit", *session.posargs)


@nox.session(venv_location=ENVIRONMENT)
def property(session: nox.Session) -> None:  # noqa: A001 - the name that people type
    """Run the property tests."""
    install(session)
    session.run("pytest", "tests/property", *session.posargs)


@nox.session(venv_location=ENVIRONMENT)
def integration(session: nox.Session) -> None:
    """Run the integration tests, on a real engine and through official clients."""
    install(session)
    session.run("pytest", "tests/integration", *session.posargs)


@nox.session(venv_location=ENVIRONMENT)
def demo(session: nox.Session) -> None:
    """Run the twelve steps of the reference project, and tell what came out."""
    install(session)
    session.run("python", "scripts/demo.py", *session.posargs)


@nox.session(venv_location=ENVIRONMENT)
def bench(session: nox.Session) -> None:
    """Measure what is promised, as ratios, both sides interleaved in one run."""
    install(session)
    for file in sorted((ROOT / "benchmarks").glob("bench_*.py")):
        session.run("python", str(file), *session.posargs)


@nox.session(venv_location=ENVIRONMENT)
def torture(session: nox.Session) -> None:
    """Run the property tests at their full sizes."""
    install(session)
    session.run("pytest", "tests/property", "--hypothesis-profile=torture", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Compile requirements/ anew from pyproject.toml."""
    session.install("uv")
    options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
    for name, chosen in (("dev", ("--group", "dev")), ("local", ("-c", "requirements/dev.txt"))):
        session.run(
            *("uv", "pip", "compile", "pyproject.toml", "--extra", "local", *chosen, *options),
            *("--no-header", "--no-annotate", "-o", f"requirements/{name}.txt"),
            env={**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "nox -s lock"},
        )

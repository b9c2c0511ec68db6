"""`laketop doctor`: check what a local run needs, and say what is missing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.settings import Settings

_ROOM_BYTES = 2 * 1024**3


class Finding(NamedTuple):
    """One thing that a local run needs; `problem` is empty where all is well."""

    what: str
    found: str
    problem: str = ""
    hint: str = ""


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "check what a local run needs, and say what is missing"
    parser = commands.add_parser("doctor", help=text, description=text + ".")
    _project.add_options(parser, in_workspace=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every finding; 1 where something is missing."""
    from laketop.cli import _console

    findings = list(examine(_settings(args)))
    if args.json:
        _console.emit([finding._asdict() for finding in findings])
    for finding in [] if args.json else findings:
        _console.tell(
            f"{'missing' if finding.problem else 'ok':<8}{finding.what:<11}{finding.found}"
        )
        if finding.problem:
            _console.say(f"        {finding.problem}")
            _console.say(f"        hint: {finding.hint}")
    return 1 if any(finding.problem for finding in findings) else 0


def _settings(args: argparse.Namespace) -> Settings:
    """Return the project's settings, or those of this folder where there is no project."""
    from pathlib import Path

    from laketop.errors import ConfigError
    from laketop.settings import Settings

    try:
        return _project.settings(args)
    except ConfigError:
        return Settings.read(Path(args.project or ".").resolve())


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each thing that a local run needs; none goes without a runtime."""
    runtime = _runtime(settings)
    yield runtime
    if runtime.problem:
        return
    checks: tuple[Callable[[Settings], Finding], ...] = (
        _python,
        _packages,
        _java,
        _jars,
        _project_file,
        _room,
        _workspace,
    )
    for check in checks:
        yield check(settings)


def _runtime(settings: Settings) -> Finding:
    from laketop.engine.runtime import Runtime
    from laketop.errors import NotFound

    try:
        runtime = Runtime.load(settings.runtime)
    except NotFound as error:
        return Finding("runtime", settings.runtime, error.message, error.hint or "")
    return Finding("runtime", f"{runtime.key}  (Spark {runtime.spark}, Delta {runtime.delta})")


def _python(settings: Settings) -> Finding:
    import platform

    from laketop.engine.runtime import Runtime

    version = platform.python_version()
    accepted = Runtime.load(settings.runtime).python
    if version.rpartition(".")[0] in accepted:
        return Finding("python", version)
    wanted = " or ".join(accepted)
    return Finding("python", version, f"this runtime wants {wanted}", f"use Python {wanted}")


def _packages(settings: Settings) -> Finding:
    from laketop.cli.version import versions
    from laketop.engine.jars import require_spark, spark_home
    from laketop.engine.runtime import Runtime
    from laketop.errors import EngineMissing

    found = versions()
    told = f"spark {found['spark']}, delta {found['delta']}, mlflow {found['mlflow']}"
    try:
        spark_home()
        require_spark(Runtime.load(settings.runtime))
    except EngineMissing as error:
        return Finding("packages", told, error.message, error.hint or "")
    return Finding("packages", told)


def _java(settings: Settings) -> Finding:
    from laketop.engine import java
    from laketop.engine.runtime import Runtime
    from laketop.errors import EngineMissing

    try:
        found = java.find(settings, Runtime.load(settings.runtime))
    except EngineMissing as error:
        return Finding("java", "none", error.message, error.hint or "")
    return Finding("java", f"{java.major_version(found)}  {found}")


def _jars(settings: Settings) -> Finding:
    from laketop.engine import jars
    from laketop.engine.runtime import Runtime

    runtime = Runtime.load(settings.runtime)
    missing = jars.missing(settings, runtime)
    place = str(jars.folder(settings, runtime))
    if not missing:
        return Finding("jars", place)
    names = ", ".join(jar.artifact for jar in missing)
    return Finding(
        "jars",
        place,
        f"{len(missing)} of {len(runtime.jars)} are not in the cache: {names}",
        "`laketop up` fetches them, once, when there is a network",
    )


def _project_file(settings: Settings) -> Finding:
    from laketop.bundle import find_root
    from laketop.errors import ConfigError

    try:
        return Finding("project", str(find_root(settings.root)))
    except ConfigError as error:
        return Finding("project", "none", error.message, error.hint or "")


def _room(settings: Settings) -> Finding:
    import shutil

    free = shutil.disk_usage(settings.root if settings.root.exists() else "/").free
    told = f"{free / 1024**3:.1f} GB free"
    if free >= _ROOM_BYTES:
        return Finding("disk", told)
    return Finding("disk", told, "less than 2 GB are free", "make room on this disk")


def _workspace(settings: Settings) -> Finding:
    from laketop.workspace import daemon

    contact = daemon.find(settings)
    return Finding("workspace", "not running" if contact is None else contact.url)

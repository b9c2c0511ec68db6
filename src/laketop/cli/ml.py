"""`laketop ml`: train a model version again from its recipe, and compare bit for bit."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

from laketop.cli import _project
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from laketop.cli._console import Progress
    from laketop.settings import Settings
    from laketop.workspace.daemon import Contact

UNCOMMITTED = "uncommitted"
_LONGEST_SECONDS = 1800.0  # for an installer that fetches gigabytes
# Runs the module that is named after folders whose packages come after the interpreter's own.
_LAYERED = """\
import os, runpy, site, sys
for folder in sys.argv.pop(1).split(os.pathsep):
    site.addsitedir(folder)
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=False)
"""


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "train a model version again from its recipe, and compare bit for bit"
    parser = commands.add_parser("ml", help=text, description=text + ".")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    reproduce = actions.add_parser("reproduce", help=text, description=text + ".")
    _project.add_options(parser)
    _project.add_options(reproduce, of_action=True)
    reproduce.add_argument("model", metavar="MODEL", help="catalog.schema.model")
    reproduce.add_argument("version", metavar="VERSION", help="a version number")
    reproduce.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Reproduce the version: 0 when every byte is the same, 1 when something differs.

    Where what is installed here is not what the version's lock says, it is trained in a new
    environment made of the lock; what the lock does not name, such as Spark's client, is the one
    installed here. The outcome is kept in the version's tag `reproduced`, which the gate
    `reproducible` asks for.
    """
    import tempfile
    from pathlib import Path

    from laketop.cli import _console
    from laketop.ml.reproduction import Recipe
    from laketop.workspace import daemon

    settings = _project.settings(args)
    with _console.Progress() as progress, tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        contact = daemon.ready(settings, progress.show)
        progress.show(f"fetching version {args.version} of {args.model}")
        environment = {**settings.tool_environment, **contact.environment()}
        logged = _downloaded(environment, f"models:/{args.model}/{args.version}", scratch)
        recipe = Recipe.read(logged)
        progress.show(f"training {args.model} again; code: {recipe.code_version}")
        with _code(settings, recipe.code_version, scratch) as source:
            python, notes = _interpreter(logged, scratch, progress)
            differs = _retrained(python, environment, logged, scratch, source)
        _record(contact, args, differs)
    if recipe.code_version == UNCOMMITTED:
        notes.append("its code had no commit: today's code was run")
    _tell(args, differs, notes)
    return 1 if differs else 0


def _record(contact: Contact, args: argparse.Namespace, differs: list[str]) -> None:
    from laketop.ml.evidence import REPRODUCED, reproduced

    body = {
        "name": args.model,
        "version": args.version,
        "key": REPRODUCED,
        "value": reproduced(differs),
    }
    contact.request("POST", "/api/2.0/mlflow/unity-catalog/model-versions/set-tag", body)


def _tell(args: argparse.Namespace, differs: list[str], notes: list[str]) -> None:
    from laketop.cli import _console

    if args.json:
        _console.emit({"identical": not differs, "differs": differs, "notes": notes})
        return
    outcome = "differs" if differs else "reproduced, every byte of the model is the same"
    _console.tell(f"{args.model} version {args.version}: {outcome}")
    for line in (*differs, *(f"note: {note}" for note in notes)):
        _console.tell(f"  {line}")


def _downloaded(environment: Mapping[str, str], uri: str, scratch: Path) -> Path:
    ask = [sys.executable, "-m", "mlflow", "artifacts", "download"]
    ended = subprocess.run(
        [*ask, "--artifact-uri", uri, "--dst-path", str(scratch / "logged")],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or ["nothing was said"]
        raise LaketopError(f"{uri} cannot be fetched: {said[-1]}")
    return scratch / "logged"


@contextlib.contextmanager
def _code(settings: Settings, commit: str, scratch: Path) -> Iterator[Path]:
    """Hand out the project's folder as it was at `commit`, or as it is where there was none."""
    from laketop.bundle.git import repository_of

    repository = repository_of(settings.root.resolve())
    if commit == UNCOMMITTED:
        yield settings.root
        return
    if repository is None:
        hint = "run it in a clone of the project"
        raise LaketopError(f"{str(settings.root)!r} is in no Git repository", hint=hint)
    tree = scratch / "code"
    git = ["git", "-C", str(repository), "worktree"]
    _git([*git, "add", "--quiet", "--detach", str(tree), commit])
    try:
        yield tree / settings.root.resolve().relative_to(repository)
    finally:
        _git([*git, "remove", "--force", str(tree)])


def _git(command: list[str]) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LaketopError("the code of a commit needs Git", hint="install git") from error
    if ended.returncode:
        raise LaketopError(f"Git cannot hand out the code: {ended.stderr.strip()}")


def _interpreter(logged: Path, scratch: Path, progress: Progress) -> tuple[list[str], list[str]]:
    """Return what runs a module with the packages of the model's lock, and notes on it."""
    from laketop.ml.environments import StepFailed, built, within
    from laketop.ml.locks import LOCK_FILE, differences

    here = [sys.executable, "-m"]
    lock = logged / LOCK_FILE
    if not lock.is_file():
        return here, ["it carries no lock: the packages installed here were used"]
    found = differences(lock.read_text("utf-8"))
    if not found:
        return here, []
    progress.show(f"making an environment of its lock: {found[0]}")
    try:
        python = built(scratch / "environment", lock, offline=False, step=within(_LONGEST_SECONDS))
    except (StepFailed, subprocess.TimeoutExpired) as failure:
        raise LaketopError(str(failure), hint="the lock's packages have to be reachable") from None
    more = os.pathsep.join(dict.fromkeys(sysconfig.get_paths()[n] for n in ("purelib", "platlib")))
    notes = [f"trained in an environment made of its lock; {told}" for told in found[:1]]
    return [str(python), "-c", _LAYERED, more], notes


def _retrained(
    python: list[str], environment: Mapping[str, str], logged: Path, scratch: Path, source: Path
) -> list[str]:
    from laketop import shims

    report = scratch / "report.json"
    path = (source / "src", source, shims.FOLDER, environment.get("PYTHONPATH"))
    ended = subprocess.run(
        [
            *(*python, "laketop.ml.reproduction"),
            *map(str, (logged, scratch / "saved", report)),
        ],
        env={**environment, "PYTHONPATH": os.pathsep.join(str(part) for part in path if part)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.is_file():
        said = ended.stderr.strip().splitlines() or ["nothing was said"]
        raise LaketopError(f"training again failed: {said[-1]}", hint="\n".join(said[-15:]))
    told = json.loads(report.read_text(encoding="utf-8"))
    if "error" in told:
        raise LaketopError(told["error"], hint=told["hint"])
    return list(told["differs"])

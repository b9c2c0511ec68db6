"""The checks and the demo: `nox` runs every check, `nox -s demo` the twelve steps."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, STDOUT

import nox
from uv import find_uv_bin

nox.options.sessions = ["lint", "types", "unit", "property", "integration"]
# One environment serves every session, since Spark alone weighs 450 MB: `environment` makes it.
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent
PLACE = ROOT / ".nox" / f"python{sys.version_info.major}.{sys.version_info.minor}"
SCRIPTS = PLACE / ("Scripts" if os.name == "nt" else "bin")
FLIGHTS_UNIT = ("-o", "pythonpath=. examples/flights/src", "examples/flights/tests/unit")
"""What runs the unit tests of the reference project beside our own."""


def surroundings() -> dict[str, str]:
    """Return what a shell that activated the environment would have."""
    path = os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", "")])
    # Bytecode is written: the many processes of tasks compile nothing twice.
    return {"PATH": path, "VIRTUAL_ENV": str(PLACE), "PYTHONDONTWRITEBYTECODE": ""}


def run(session: nox.Session, program: str, *arguments: str, **variables: str) -> None:
    """Run a program of the environment, with what a shell that activated it would have."""
    env = {**surroundings(), **variables}
    session.run(str(SCRIPTS / program), *arguments, env=env, external=True)


Command = tuple[str, ...]
"""Variables of its own, as NAME=value, then a program of the environment and its arguments."""

VARIABLE = re.compile(r"[A-Z_]+=").match


def run_together(
    session: nox.Session, *, temporary: str | None = None, **lanes: Sequence[Command]
) -> None:
    """Run lanes at once, a lane's programs one by one; each line printed begins with its lane.

    `temporary` is the folder for their temporary files, None for the system's.
    """
    env = {**os.environ, **surroundings(), **({"TMPDIR": temporary} if temporary else {})}
    with ThreadPoolExecutor(len(lanes)) as pool:
        ended = pool.map(functools.partial(_run_lane, env), lanes, lanes.values())
        failed = {lane: told for lane, told in zip(lanes, ended, strict=True) if told}
    for told in failed.values():  # again, since the lines of others stand between them
        print("".join(told[-60:]), flush=True)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def _run_lane(env: Mapping[str, str], lane: str, commands: Sequence[Command]) -> list[str]:
    """Return what the programs that failed have printed, by lines."""
    failed: list[str] = []
    for command in commands:
        print(f"{lane}: {' '.join(command)}", flush=True)
        named = [part.partition("=") for part in itertools.takewhile(VARIABLE, command)]
        program, *arguments = command[len(named) :]
        own = {**env, **{name: value for name, _, value in named}}
        order = [str(SCRIPTS / program), *arguments]
        lines = []
        with subprocess.Popen(order, env=own, stdout=PIPE, stderr=STDOUT, text=True) as process:
            for line in process.stdout or ():
                lines.append(line)
                print(f"{lane}: {line}", end="", flush=True)
        failed += lines if process.returncode else []
    return failed


def in_memory() -> str | None:
    """Return a folder that is kept in memory, if it has room and programs may be run from it."""
    place = "/dev/shm"  # noqa: S108 - tests make folders of their own in it
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    has_room = found.f_bavail * found.f_frsize > 2**30
    is_open = os.access(place, os.W_OK) and not found.f_flag & os.ST_NOEXEC
    return place if has_room and is_open else None


@nox.session
def environment(session: nox.Session) -> None:
    """Make the environment: exactly what requirements/dev.txt pins, and laketop, editable."""
    pins = hashlib.sha256()
    for file in ("requirements/dev.txt", "pyproject.toml"):
        pins.update((ROOT / file).read_bytes())
    mark = PLACE / "pins.sha256"
    if mark.exists() and mark.read_text(encoding="ascii") == pins.hexdigest():
        return
    uv = find_uv_bin()
    python = ("--python", str(PLACE))
    session.run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PLACE))
    session.run(
        *(uv, "pip", "install", "--quiet", *python),
        *("--require-hashes", "--compile-bytecode", "-r", "requirements/dev.txt"),
    )
    session.run(
        *(uv, "pip", "install", "--quiet", *python),
        *("--no-deps", "--no-build-isolation", "-e", str(ROOT)),
    )
    compiled = ("src", "examples/flights/src")  # as the packages are: uv leaves out an editable one
    session.run(str(SCRIPTS / "python"), "-m", "compileall", "-q", *compiled, env=surroundings())
    mark.write_text(pins.hexdigest(), encoding="ascii")


@nox.session(requires=["environment"])
def bytecode(session: nox.Session) -> None:
    """Compile the unit tests, once an environment: pytest rewrites their assertions."""
    mark = PLACE / "bytecode"
    if not mark.exists():
        collect = ("--collect-only", "-q", "-c", "pyproject.toml", *FLIGHTS_UNIT, "tests/unit")
        session.run(str(SCRIPTS / "pytest"), *collect, env=surroundings(), silent=True)
        mark.touch()


def environment_of(session: nox.Session, name: str) -> str:
    """Make an environment of its own, of what requirements/<name>.txt pins; return its Python."""
    uv, place = find_uv_bin(), PLACE.with_name(name)
    session.run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place))
    install = (uv, "pip", "install", "--quiet", "--python", str(place))
    session.run(*install, "--require-hashes", "-r", f"requirements/{name}.txt")
    return str(place / "bin" / "python")


@nox.session(requires=["environment"])
def lint(session: nox.Session) -> None:
    """Check the style, and that rooms import only downward."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    run(session, "lint-imports", "--no-cache", PYTHONPATH="examples/flights/src")
    run(session, "python", "scripts/build_jvm.py", "--check")
    run(session, "python", "scripts/longest.py")


@nox.session(requires=["environment"])
def types(session: nox.Session) -> None:
    """Check the types, strictly."""
    run(session, "mypy", "--num-workers", str(os.cpu_count() or 1))


# A quick test that generates its cases stands beside the unit that it is about, and runs with
# the other properties.
PROPERTIES = ("-m", "hypothesis")
UNITS = ("-m", "not hypothesis")


@nox.session(requires=["bytecode"])
def unit(session: nox.Session) -> None:
    """Run the unit tests of laketop and of the reference project."""
    options = ("-c", "pyproject.toml", *UNITS, *session.posargs)
    numeric = [f"tests/unit/{room}" for room in ("engine", "ml", "runner")]
    numeric += ["tests/unit/workspace/test_statement_results.py"]
    apart = ["ml/features/test_online.py", "runner/test_dbt.py", "runner/test_git_source.py"]
    client = [f"tests/unit/{file}" for file in apart]
    others = [str(room) for room in Path("tests/unit").iterdir() if room.name[0].islower()]
    # Lanes, since there are cores: one loads the numeric libraries, one the client of Databricks.
    run_together(
        session,
        temporary=in_memory(),
        rooms=[("pytest", *options, *lane(others, client, without=numeric))],
        numeric=[("pytest", *options, *lane(numeric, without=client), *FLIGHTS_UNIT)],
    )


def lane(*tests: Sequence[str], without: Sequence[str]) -> list[str]:
    """Return what has pytest run folders and files of tests, but none of those in `without`."""
    taken = [file for files in tests for file in files if file not in without]
    return [*sorted(taken), *(f"--ignore={file}" for file in without)]


@nox.session(requires=["environment"])
def property(session: nox.Session) -> None:  # noqa: A001 - the name that people type
    """Run the property tests."""
    statistics = sorted(str(file) for file in Path("tests/property").glob("test_ml_*.py"))
    others = (f"--ignore={file}" for file in statistics)
    run_together(
        session,
        property=[("pytest", "tests/property", *others, *session.posargs)],
        numeric=[
            ("pytest", *statistics, *session.posargs),
            ("pytest", "tests/unit", *PROPERTIES, *session.posargs),
        ],
    )


ENGINES = ("tests/integration/engine", "tests/integration/ml")
"""What is about Spark more than about a workspace."""


@nox.session(requires=["environment"])
def integration(session: nox.Session) -> None:
    """Run the integration tests, on a real engine and through official clients."""
    # One random order for all, since these tests share an engine and real time: what fails is
    # seen again. Another: nox -s integration -- --randomly-seed=random
    options = ("--randomly-seed=1367276327", "--durations=15", *session.posargs)
    flights = ("--project", "examples/flights", "examples/flights/tests/integration")
    answered = {lane: PLACE / f"answered-{lane}.txt" for lane in ("engine", "workspace")}
    for file in answered.values():
        file.unlink(missing_ok=True)
    # Lanes, since there are cores; each has a workspace and an engine of its own. That of the
    # workspace's answers so few statements that the JVM's second compiler does not pay.
    run_together(
        session,
        engine=[
            ("pytest", *options, *ENGINES, f"--witnesses={answered['engine']}"),
            ("pytest", "-c", "pyproject.toml", *session.posargs, "examples/variants/tests/unit"),
        ],
        workspace=[
            (
                "LAKETOP_ENGINE_JAVA_OPTIONS=-XX:TieredStopAtLevel=1",
                *("pytest", *options, "tests/integration", f"--witnesses={answered['workspace']}"),
                *(f"--ignore={room}" for room in ENGINES),
            ),
            ("pytest", "--durations=15", *session.posargs, *flights),
        ],
    )
    if not session.posargs:  # the whole of it: every route that is served has answered a client
        run(session, "python", "scripts/witnesses.py", *map(str, answered.values()))


@nox.session(requires=["environment"])
def pytorch(session: nox.Session) -> None:
    """Test the PyTorch variant, in an environment of its own: on Linux CUDA comes with it."""
    python = environment_of(session, "pytorch")
    install = (find_uv_bin(), "pip", "install", "--quiet", "--python", python)
    session.run(*install, "--no-deps", "-e", str(ROOT))
    tests = ("-c", "pyproject.toml", "-p", "no:laketop", "examples/variants/tests/pytorch")
    # A workspace, which needs more than that environment has, runs in the one of the tests.
    env = {"LAKETOP_PYTHON": str(SCRIPTS / "python")}
    session.run(python, "-m", "pytest", *tests, *session.posargs, env=env)


@nox.session(name="runtime-17.3")
def runtime_17_3(session: nox.Session) -> None:
    """Test the engine, the feature client and a job on the runtime 17.3-LTS, an older Spark."""
    python = environment_of(session, "17.3-lts")
    install = (find_uv_bin(), "pip", "install", "--quiet", "--python", python)
    session.run(*install, "--no-deps", "-e", str(ROOT))
    env = {"LAKETOP_RUNTIME": "17.3-LTS", "PYTHONDONTWRITEBYTECODE": ""}
    for tests in (ENGINES, ("tests/integration/cli/test_commands.py",)):
        session.run(python, "-m", "pytest", *tests, *session.posargs, env=env)


@nox.session(requires=["environment"])
def dbt(session: nox.Session) -> None:
    """Run a dbt project by command line and SDK, by dbt-databricks of the package index."""
    run(session, "pytest", "-c", "pyproject.toml", "tests/dbt", *session.posargs)


@nox.session(requires=["environment"])
def feast(session: nox.Session) -> None:
    """Measure the point-in-time join against Feast's, in an environment of its own."""
    python = environment_of(session, "feast")
    run(session, "python", "-m", "benchmarks.against_feast", FEAST_PYTHON=python)


@nox.session(requires=["environment"])
def minilake(session: nox.Session) -> None:
    """Measure calls of databricks-sdk against minilake's, in an environment of its own."""
    python = environment_of(session, "minilake")
    run(session, "python", "-m", "benchmarks.bench_workspace", MINILAKE_PYTHON=python)


@nox.session(requires=["environment"])
def demo(session: nox.Session) -> None:
    """Run the twelve steps of the reference project, and tell what came out."""
    run(session, "python", "-m", "scripts.demo", *session.posargs)


@nox.session(requires=["environment"])
def flights(session: nox.Session) -> None:
    """Run the reference project as it is in prod, through every gate, and by CLI as by SDK."""
    run(session, "pytest", "-c", "pyproject.toml", "tests/flights", *session.posargs)


@nox.session(requires=["environment"])
def bench(session: nox.Session) -> None:
    """Measure what is promised, as ratios, both sides interleaved in one run."""
    files = sorted((ROOT / "benchmarks").glob("bench_*.py"))
    run_together(
        session, bench=[("python", "-m", f"benchmarks.{f.stem}", *session.posargs) for f in files]
    )


@nox.session(requires=["environment"])
def torture(session: nox.Session) -> None:
    """Run the tests of faults, properties and the join at their full sizes: hours."""
    sizes = ("--hypothesis-profile=torture", *session.posargs)
    run(session, "pytest", "tests/property", *sizes)
    run(session, "pytest", "tests/integration/ml/features/test_point_in_time.py", *sizes)
    # Random requests, spellings of paths, 1,000 kills, tokens of 500 x 8 callers.
    full = "random or spelling or kill or eight_callers"
    for name in ("app", "jobs"):
        run(session, "pytest", f"tests/integration/workspace/test_{name}.py", "-k", full, *sizes)
    run(session, "pytest", "tests/integration/workspace/test_kills.py", "--rounds=100")
    # Pairs that start at the same instant; processes that are canceled, killed, too slow.
    pairs, processes = "same_moment", "cancel or left or killed or stopped or group or guard"
    for place, chosen in (("cli/test_accidents.py", pairs), ("runner/test_process.py", processes)):
        run(session, "pytest", f"tests/integration/{place}", "-k", chosen, "--rounds=100")
    flights = ("--project", "examples/flights", "examples/flights/tests/integration")
    run(session, "pytest", *flights, "-k", "backfill_equals", *sizes)  # random departures
    for name in ("durability", "denial_matrix", "sql_corpus"):
        run(session, "pytest", f"tests/integration/engine/test_{name}.py", *sizes)
    # Last, as a goal that is missed ends the session.
    run(session, "python", "-m", "benchmarks.bench_leaks")
    run(session, "python", "-m", "benchmarks.bench_point_in_time", "--growth")


@nox.session(requires=["environment"])
def docs(session: nox.Session) -> None:
    """Write the pages anew that are made from the source, and tell which have changed."""
    run(session, "python", "scripts/routes.py")
    run(session, "pytest", "-q", "tests/unit/bundle/test_keys.py", "--update")
    run(session, "pytest", "-q", "tests/integration/engine/test_sql_corpus.py", "--update")
    run(session, "python", "scripts/sql_table.py")
    session.run("git", "status", "--short", "docs", "fixtures", external=True)


@nox.session
def minimums(session: nox.Session) -> None:
    """Run the unit tests on the lowest versions that pyproject.toml allows."""
    uv, place = find_uv_bin(), PLACE.with_name("minimums")
    session.run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place))
    session.run(
        *(uv, "pip", "install", "--quiet", "--python", str(place), "--group", "dev"),
        *("--resolution", "lowest-direct", "-e", ".[local]"),
    )
    # What old packages warn of among themselves is theirs; the pins are those of other versions.
    options = ("-c", "pyproject.toml", "-o", "filterwarnings=default", *UNITS, *session.posargs)
    tests = ("--ignore=tests/unit/test_requirements.py", "tests/unit")
    session.run(str(place / "bin" / "python"), "-m", "pytest", *options, *tests)


@nox.session(requires=["environment"])
def release(session: nox.Session) -> None:
    """Build what is published in dist/, and try the wheel on its own: it names its version."""
    run(session, "python", "scripts/build_jvm.py", "--check")
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(session, "python", "-m", "build", "--no-isolation", "--outdir", str(dist))
    (wheel,) = dist.glob("*.whl")
    python = environment_of(session, "local")
    install = (find_uv_bin(), "pip", "install", "--quiet", "--python", python)
    session.run(*install, "--no-deps", str(wheel))
    command = Path(python).with_name("laketop")
    with tempfile.TemporaryDirectory() as empty, session.chdir(empty):
        session.run(str(command), "version")


@nox.session
def lock(session: nox.Session) -> None:
    """Compile requirements/ anew from pyproject.toml."""
    options = (
        *("--universal", "--python-version", "3.11", "--no-header", "--no-annotate"),
        *("--generate-hashes", "--no-emit-index-url", "--quiet"),
    )
    developing = ("--group", "dev")
    for name, extra, chosen in (
        ("dev", "local", developing),
        ("local", "local", ("-c", "requirements/dev.txt")),
        ("17.3-lts", "local-17-3", developing),
    ):
        session.run(
            *(find_uv_bin(), "pip", "compile", "pyproject.toml", "--extra", extra, *chosen),
            *(*options, "-o", f"requirements/{name}.txt"),
        )
    for name in ("feast", "minilake"):
        session.run(
            *(find_uv_bin(), "pip", "compile", "--group", f"pyproject.toml:{name}"),
            *(*options, "-o", f"requirements/{name}.txt"),
        )
    session.run(
        *(find_uv_bin(), "pip", "compile", "--group", "pyproject.toml:pytorch"),
        *("-c", "requirements/dev.txt", *options, "-o", "requirements/pytorch.txt"),
    )
    session.run(
        *(find_uv_bin(), "pip", "compile", "--group", "examples/flights/pyproject.toml:model"),
        *("-c", "requirements/dev.txt", *options),
        *("-o", "examples/flights/src/flights/requirements.lock"),
    )

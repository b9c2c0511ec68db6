"""Statements on the warm engine, against the same Spark and Delta without laketop's classes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.project import resident_megabytes
from benchmarks.ratios import compare, judge, run

from laketop.engine import LocalEngine, RemoteEngine, Runtime, archive, command, jars, java
from laketop.engine.local import end, free_port
from laketop.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TOKEN = "a-token-of-the-benchmark"  # noqa: S105 - of two engines that live for minutes
ROUNDS = 15
STARTS = 3
TABLES = 1000
OURS = ("=laketop.engine.", ",laketop.engine.", "spark.laketop.", "spark.sql.defaultCatalog=")
"""What tells an option of laketop's from those of Spark and Delta."""
STATEMENTS = {
    "SELECT 1": "SELECT 1",
    "count of a small table": "SELECT count(*) FROM bench.t",
    "small MERGE": "MERGE INTO bench.t USING (SELECT 5 AS id, 1 AS n) s ON t.id = s.id"
    " WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (id, n)",
    f"SHOW TABLES of {TABLES}": "SHOW TABLES IN many",
}


@dataclasses.dataclass(frozen=True)
class Side:
    """One engine of the two: its process and a session."""

    pid: int
    session: SparkSession

    def run(self, statement: str) -> None:
        """Run a statement to its last row."""
        self.session.sql(statement).collect()


def without_laketop(arguments: list[str]) -> list[str]:
    """Return an engine's command line with Spark's and Delta's own classes in laketop's places."""
    kept: list[str] = []
    rest = iter(arguments[:-3])  # the main class of laketop takes three arguments
    for part in rest:
        following = next(rest) if part == "--conf" else ""
        if not following:
            kept.append(part)
        elif not any(mark in following for mark in OURS):
            kept += [part, following]
    main = kept.index("laketop.engine.EngineMain")
    kept[main] = "org.apache.spark.sql.connect.service.SparkConnectServer"
    delta = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    }
    confs = [part for name, value in delta.items() for part in ("--conf", f"{name}={value}")]
    return [*kept[: main - 1], *confs, *kept[main - 1 :]]


@contextlib.contextmanager
def with_laketop(settings: Settings, *, warm: bool = True) -> Iterator[Side]:
    """Yield the engine as users have it."""
    engine = LocalEngine(settings, token=TOKEN)
    try:
        pid = engine.wait(warm=warm).pid
        assert pid is not None  # noqa: S101 - it answers
        yield Side(pid, engine.session())
    finally:
        engine.stop()


@contextlib.contextmanager
def plain(settings: Settings) -> Iterator[Side]:
    """Yield Spark and Delta, with the same options."""
    port, folder = free_port(), settings.state / "plain"
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    runtime = Runtime.load()
    found = java.find(settings, runtime)
    paths = jars.ensure(settings, runtime, found, lambda _: None)
    classes = archive.of(settings.cache, found, paths)  # which both load their classes from
    arguments = command.line(
        settings,
        java=found,
        jars=paths,
        archive=classes.flags() if classes.file.exists() else (),
        folder=folder,
        catalog=folder / "catalog",
        port=port,
        ready=folder / "ready",
        confs=runtime.confs,
    )
    environment = {**os.environ, "SPARK_CONNECT_AUTHENTICATE_TOKEN": TOKEN}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            without_laketop(arguments),
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Side(process.pid, _connected(f"sc://localhost:{port}/;token={TOKEN}"))
    finally:
        end(process, 10)


def _connected(remote: str) -> SparkSession:
    port = int(remote.split(":")[2].partition("/")[0])
    for _ in range(6000):
        with contextlib.suppress(OSError):
            socket.create_connection(("localhost", port)).close()
            return RemoteEngine(remote).session()
        time.sleep(0.05)
    raise TimeoutError(remote)


def prepare(ours: Side, theirs: Side, catalog: Path) -> None:
    """Make the same tables on both sides; ours has the folders of Delta tables for a catalog."""
    for side in (ours, theirs):
        side.run("CREATE SCHEMA bench")
        side.run("CREATE SCHEMA many")
        side.run("CREATE TABLE bench.t USING delta AS SELECT id, 0 AS n FROM range(1000)")
    for number in range(TABLES):
        shutil.copytree(catalog / "main/bench/t", catalog / f"main/many/t{number}")
        theirs.run(f"CREATE TABLE many.t{number} (a INT) USING parquet")


def start(side: Callable[[], contextlib.AbstractContextManager[Side]]) -> float:
    """Return the seconds from nothing to the first answer, and end the engine again."""
    began = time.monotonic()
    with side() as engine:
        engine.run("SELECT 1")
        return time.monotonic() - began


def compare_starts(settings: Settings) -> None:
    """Print how long both take to start; ends are not counted."""
    ratios = []
    for _ in range(STARTS):
        mine = start(functools.partial(with_laketop, settings, warm=False))
        ratios.append(mine / start(functools.partial(plain, settings)))
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    what = "start to the first answer, laketop ÷ plain"
    judge(what, statistics.median(ratios), goal=1.2, told=told)


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory(prefix="laketop-bench-") as name:
        settings = Settings.read(Path(name))
        with with_laketop(settings) as ours, plain(settings) as theirs:
            prepare(ours, theirs, settings.state / "catalog")
            for what, statement in STATEMENTS.items():
                mine = functools.partial(ours.run, statement)
                other = functools.partial(theirs.run, statement)
                for _ in range(8):  # both have compiled what they run
                    mine()
                    other()
                compare(f"{what}, laketop ÷ plain", mine, other, rounds=ROUNDS, goal=1.2)
            held, bare = resident_megabytes(ours.pid), resident_megabytes(theirs.pid)
            told = f"{held:.0f} ÷ {bare:.0f} MB"
            judge("resident memory, laketop ÷ plain", held / bare, goal=1.2, told=told)
        compare_starts(settings)


if __name__ == "__main__":
    run(main)

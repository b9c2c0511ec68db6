# ruff: noqa: S608, S311  the names are the tests' own; chance decides only when to kill
"""What was acknowledged is there after a kill, and other readers of Delta see the same.

Small by default; at full size with `nox -s torture`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import settings
from pyspark.sql import SparkSession
from tests.engines import SHORT_LIVED

from laketop.engine import LocalEngine, RemoteEngine
from laketop.settings import Settings

FULL = settings().max_examples >= 10_000
KILLS = 20 if FULL else 1
WRITERS, APPENDS = (8, 100) if FULL else (4, 4)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    read = Settings.read(tmp_path_factory.mktemp("an engine"), {**os.environ, **SHORT_LIVED})
    started = LocalEngine(read, token="a-token")
    yield started
    started.stop()


def rows(session: SparkSession, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.sql(statement).collect()]


class Writers:
    """Threads that each do one kind of thing over and over, and count what was acknowledged."""

    def __init__(self, engine: LocalEngine, schema: str) -> None:
        self.acknowledged: Counter[str] = Counter()
        self._schema = schema
        self._remote = engine.remote
        self._ending = threading.Event()
        kinds = (self.create, self.append, self.merge, self.rename, self.drop, self.grant)
        self._sessions: list[SparkSession] = []
        self._threads = [threading.Thread(target=self._repeat, args=(kind,)) for kind in kinds]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let nobody begin another statement; those that run may end or fail."""
        self._ending.set()

    def join(self) -> None:
        """Wait for all threads, whose clients would go on asking an engine that is gone."""
        for session in self._sessions:
            with contextlib.suppress(Exception):
                session.client.close()
        for thread in self._threads:
            thread.join()

    def _repeat(self, kind: Callable[[SparkSession, int], None]) -> None:
        session = RemoteEngine(self._remote).session()
        self._sessions.append(session)
        try:
            while not self._ending.is_set():
                kind(session, self.acknowledged[kind.__name__])
                self.acknowledged[kind.__name__] += 1
        except Exception:  # noqa: BLE001 - the engine is killed below it, in whatever it does
            assert self._ending.is_set()

    def create(self, session: SparkSession, number: int) -> None:
        session.sql(f"CREATE TABLE {self._schema}.made{number} AS SELECT {number} AS a").collect()

    def append(self, session: SparkSession, number: int) -> None:
        session.sql(f"INSERT INTO {self._schema}.appended VALUES ({number})").collect()

    def merge(self, session: SparkSession, number: int) -> None:
        session.sql(
            f"MERGE INTO {self._schema}.merged t USING (SELECT 1 AS id) s ON t.id = s.id"
            f" WHEN MATCHED THEN UPDATE SET n = {number + 1}"
        ).collect()

    def rename(self, session: SparkSession, number: int) -> None:
        before, after = f"{self._schema}.named{number}", f"{self._schema}.named{number + 1}"
        session.sql(f"ALTER TABLE {before} RENAME TO {after}").collect()

    def drop(self, session: SparkSession, number: int) -> None:
        if number == DROPPABLE:
            self._ending.wait()
        session.sql(f"DROP TABLE IF EXISTS {self._schema}.dropped{number}").collect()

    def grant(self, session: SparkSession, number: int) -> None:
        session.sql(f"GRANT SELECT ON SCHEMA {self._schema} TO `user{number}`").collect()


DROPPABLE = 200 if FULL else 4


BESIDE = (
    "ALTER TABLE {} SET TAGS ('of' = 'it')",
    "GRANT SELECT ON TABLE {} TO `ann`",
)
"""What lies beside a table, and has its name."""


def beside(session: SparkSession, schema: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the tags and grants of a schema's tables, with the names of these."""
    catalog, _, name = schema.partition(".")
    held = f"FROM {catalog}.information_schema.%s WHERE %sschema_name = '{name}'"
    tags = held % ("table_tags", "")
    grants = held.replace("schema_name", "table_schema") % ("table_privileges", "")
    return {
        "tags": rows(session, f"SELECT table_name, tag_name, tag_value {tags}"),
        "granted": rows(session, f"SELECT table_name, grantee {grants} AND grantee = 'ann'"),
    }


def prepared(session: SparkSession, schema: str) -> None:
    for statement in (
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.appended (a INT)",
        f"CREATE TABLE {schema}.merged AS SELECT 1 AS id, 0 AS n",
        f"CREATE TABLE {schema}.named0 AS SELECT 7 AS a",
        *(statement.format(f"{schema}.named0") for statement in BESIDE),
        *(f"CREATE TABLE {schema}.dropped{number} (a INT)" for number in range(DROPPABLE)),
    ):
        session.sql(statement).collect()


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(
    engine: LocalEngine, seed: int
) -> None:
    schema = f"main.kill{seed}"
    prepared(engine.session(), schema)
    writers = Writers(engine, schema)
    writers.start()
    time.sleep(random.Random(seed).uniform(2, 8))
    writers.end()
    pid = engine.state.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    writers.join()
    while engine.state.pid == pid:
        time.sleep(0.02)
    session = engine.session()
    done = writers.acknowledged
    assert done.total() > 0

    tables = {str(row[1]) for row in rows(session, f"SHOW TABLES IN {schema}")}
    made = {name for name in tables if name.startswith("made")}
    assert made >= {f"made{n}" for n in range(done["create"])}
    for name in made:
        number = int(name.removeprefix("made"))
        assert rows(session, f"SELECT * FROM {schema}.{name}") == [(number,)]
    count = rows(session, f"SELECT count(*), count(DISTINCT a) FROM {schema}.appended")[0]
    assert count[1] in {done["append"], done["append"] + 1}
    assert count[0] == count[1]
    assert rows(session, f"SELECT n FROM {schema}.merged")[0][0] in {
        done["merge"],
        done["merge"] + 1,
    }
    named = {int(name.removeprefix("named")) for name in tables if name.startswith("named")}
    assert len(named) == 1
    assert named <= {done["rename"], done["rename"] + 1}
    name = f"named{named.pop()}"
    assert rows(session, f"SELECT a FROM {schema}.{name}") == [(7,)]
    assert beside(session, schema) == {"tags": [(name, "of", "it")], "granted": [(name, "ann")]}
    left = {int(name.removeprefix("dropped")) for name in tables if name.startswith("dropped")}
    shown = {str(row[2]) for row in rows(session, f"SHOW TABLES DROPPED IN {schema}")}
    kept = {int(name.removeprefix("dropped")) for name in shown if name.startswith("dropped")}
    assert left | kept == set(range(DROPPABLE))
    assert left >= set(range(done["drop"] + 1, DROPPABLE))
    assert left <= set(range(done["drop"], DROPPABLE))
    granted = {row[0] for row in rows(session, f"SHOW GRANTS ON SCHEMA {schema}")}
    assert granted >= {f"user{n}" for n in range(done["grant"])}
    assert granted <= {f"user{n}" for n in range(done["grant"] + 1)}
    session.stop()


@pytest.mark.parametrize("moved", [True, False], ids=["after the move", "before it"])
def test_a_rename_that_was_killed_half_way_leaves_one_whole_table(
    engine: LocalEngine, *, moved: bool
) -> None:
    schema = f"main.half{int(moved)}"
    session = engine.session()
    for statement in (
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.before AS SELECT 7 AS a",
        *(statement.format(f"{schema}.before") for statement in BESIDE),
    ):
        session.sql(statement).collect()
    session.stop()
    pid = engine.state.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while engine.state.pid == pid:
        time.sleep(0.02)
    folder = engine.settings.state.joinpath("catalog", *schema.split("."))
    tags = folder / "_tags" / "before.json"
    tags.with_name("after.json").write_bytes(tags.read_bytes())
    begun = folder.parents[1] / ".renames"
    begun.mkdir(exist_ok=True)
    inside = schema.replace(".", "/")
    told = {"type": "TABLE", "from": f"{schema}.before", "to": f"{schema}.after"}
    places = {"here": f"{inside}/before", "there": f"{inside}/after"}
    (begun / "one.json").write_text(json.dumps({**told, **places}), encoding="utf-8")
    if moved:
        (folder / "before").rename(folder / "after")

    session = engine.session()
    name = "after" if moved else "before"
    assert rows(session, f"SHOW TABLES IN {schema}") == [(schema.split(".")[1], name, False)]
    assert beside(session, schema) == {"tags": [(name, "of", "it")], "granted": [(name, "ann")]}
    assert [file.stem for file in (folder / "_tags").glob("*.json")] == [name]
    assert list(begun.iterdir()) == []
    session.stop()


def test_writers_side_by_side_lose_no_append(spark_remote: str, schema: str) -> None:
    RemoteEngine(spark_remote).session().sql(f"CREATE TABLE {schema}.t (writer INT, n INT)")

    def write(writer: int) -> None:
        session = RemoteEngine(spark_remote).session()
        for number in range(APPENDS):
            session.sql(f"INSERT INTO {schema}.t VALUES ({writer}, {number})").collect()
        session.stop()

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write, writer) for writer in range(WRITERS)]:
            done.result()
    session = RemoteEngine(spark_remote).session()
    history = rows(session, f"DESCRIBE HISTORY {schema}.t")
    assert [row[0] for row in history] == list(range(WRITERS * APPENDS, -1, -1))
    kept = rows(session, f"SELECT writer, n FROM {schema}.t ORDER BY ALL")
    assert kept == [(writer, n) for writer in range(WRITERS) for n in range(APPENDS)]
    session.stop()


def test_delta_rs_reads_what_spark_wrote_and_spark_what_delta_rs_wrote(
    spark: SparkSession, schema: str, laketop_project: Path
) -> None:
    spark.sql(
        f"CREATE TABLE {schema}.t PARTITIONED BY (day) AS SELECT * FROM VALUES"
        " (1, 1.50BD, 'ä', DATE'2024-02-29', TIMESTAMP'2024-02-29 12:00:00'),"
        " (2, NULL, NULL, DATE'2024-03-01', NULL) AS t(id, price, text, day, at)"
    )
    spark.sql(f"UPDATE {schema}.t SET text = 'b' WHERE id = 2")
    place = Settings.read(laketop_project).state.joinpath("catalog", *schema.split("."), "t")
    other = DeltaTable(str(place))
    assert other.version() == 1
    seen = other.to_pyarrow_table().sort_by("id")
    assert seen.select(["id", "text"]).to_pylist() == [
        {"id": 1, "text": "ä"},
        {"id": 2, "text": "b"},
    ]
    assert seen["price"].to_pylist() == [Decimal("1.50"), None]
    write_deltalake(str(place), seen.slice(0, 1), mode="append")
    assert (
        rows(spark, f"SELECT id, price, text, at FROM {schema}.t WHERE id = 1")
        == [
            (1, Decimal("1.50"), "ä", datetime(2024, 2, 29, 12)),  # noqa: DTZ001
        ]
        * 2
    )

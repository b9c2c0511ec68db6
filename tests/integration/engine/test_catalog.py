"""What laketop's own part of the engine does, seen by a Spark Connect client."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines import RUNTIME, SHORT_LIVED

from laketop.engine import archive, command, jars, java
from laketop.engine.local import admit, end, free_port
from laketop.engine.runtime import Runtime
from laketop.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ANN, BOB = "ann@laketop.local", "bob@laketop.local"
PATIENCE_SECONDS = 120


@dataclasses.dataclass
class Engine:
    """One JVM and its folders."""

    process: subprocess.Popen[bytes]
    port: int
    root: Path
    ready: Path

    def wait(self, *words: str) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            word = self.ready.read_text(encoding="utf-8") if self.ready.exists() else ""
            if word in words:
                return word
            assert self.process.poll() is None, f"the engine ended with {self.process.returncode}"
            time.sleep(0.05)
        pytest.fail(f"the engine was not {' or '.join(words)} in {PATIENCE_SECONDS} s")

    def session(self, user: str = ANN, **claims: str) -> SparkSession:
        from pyspark.sql import SparkSession

        parts = {"token": f"token of {user}".replace(" ", "-"), **claims}
        remote = f"sc://localhost:{self.port}/;" + ";".join(f"{k}={v}" for k, v in parts.items())
        return SparkSession.builder.remote(remote).create()


Launch = Callable[..., Engine]


@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    """Start engines; those that a test leaves running end with the module."""
    started: list[Engine] = []
    runtime = Runtime.load(RUNTIME)

    def start(folder: Path, *, idle_seconds: int = 0, parent: int | None = None) -> Engine:
        settings = dataclasses.replace(
            Settings.read(folder, {**os.environ, **SHORT_LIVED}),
            engine_cores=2,
            engine_idle_seconds=idle_seconds,
        )
        root, work = folder / "catalog", folder / "engine"
        (work / "tmp").mkdir(parents=True, exist_ok=True)
        for user in (ANN, BOB):
            admit(root, token=f"token-of-{user}", user=user, admin=user == ANN)
        found = java.find(settings, runtime)
        paths = jars.ensure(settings, runtime, found, print)
        kept = archive.of(settings.cache, found, paths)
        port, ready = free_port(), work / "ready"
        ready.unlink(missing_ok=True)
        line = command.line(
            settings,
            java=found,
            jars=paths,
            folder=work,
            catalog=root,
            port=port,
            ready=ready,
            confs=runtime.confs,
            archive=kept.flags() if kept.file.exists() else (),
        )
        line[-3] = str(parent or os.getpid())
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "SPARK_HOME": str(jars.spark_home()),
            "PYSPARK_PYTHON": sys.executable,
        }
        with (work / "log").open("ab") as log:
            process = subprocess.Popen(
                line,
                cwd=work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Engine(process, port, root, ready))
        return started[-1]

    yield start
    for engine in started:
        end(engine.process, 10)


@pytest.fixture(scope="module")
def engine(launch: Launch, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    running = launch(tmp_path_factory.mktemp("lake"))
    running.wait("serving", "warm")
    return running


@pytest.fixture(scope="module")
def lake(engine: Engine) -> Iterator[SparkSession]:
    session = engine.session()
    session.sql("CREATE CATALOG dev")
    session.sql("CREATE SCHEMA dev.sales")
    session.sql("CREATE TABLE dev.sales.orders AS SELECT id, 'a' AS v FROM range(2)")
    yield session
    session.stop()


@pytest.fixture
def spark(engine: Engine, lake: SparkSession) -> Iterator[SparkSession]:
    session = engine.session()
    yield session
    session.stop()


@pytest.fixture
def bobs(engine: Engine, lake: SparkSession) -> Iterator[SparkSession]:
    session = engine.session(BOB)
    yield session
    session.stop()


def rows(spark: SparkSession, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in spark.sql(statement).collect()]


def refusal(spark: SparkSession, statement: str) -> str:
    with pytest.raises(Exception, match=r"\[[A-Z_.]+\]") as caught:
        spark.sql(statement).collect()
    return str(caught.value).splitlines()[0]


def test_main_and_its_default_schema_are_there_from_the_start(spark: SparkSession) -> None:
    assert rows(spark, "SELECT current_catalog(), current_schema()") == [("main", "default")]
    assert ("main",) in rows(spark, "SHOW CATALOGS")


def test_three_part_names_in_sql_and_in_the_data_frame_api(spark: SparkSession) -> None:
    spark.range(3).write.saveAsTable("dev.sales.numbers")
    spark.table("dev.sales.numbers").writeTo("dev.sales.numbers").append()
    assert rows(spark, "SELECT count(*) FROM dev.sales.numbers") == [(6,)]
    assert spark.catalog.tableExists("dev.sales.numbers")
    assert not spark.catalog.tableExists("dev.sales.letters")


def test_use_makes_shorter_names_do(spark: SparkSession) -> None:
    spark.sql("USE CATALOG dev")
    assert rows(spark, "SELECT count(*) FROM sales.orders") == [(2,)]
    spark.sql("USE main.default")
    spark.sql("USE dev.sales")
    assert rows(spark, "SELECT count(*) FROM orders") == [(2,)]


def test_names_in_other_case_are_the_same_names(spark: SparkSession) -> None:
    assert rows(spark, "SELECT count(*) FROM DEV.Sales.ORDERS") == [(2,)]
    assert spark.table("Dev.sales.Orders").count() == 2
    spark.sql("USE CATALOG DEV")
    assert rows(spark, "SELECT current_catalog()") == [("dev",)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE dev.sales.`a.b` (x INT)",
        "CREATE TABLE dev.sales.`a/b` AS SELECT 1 AS x",
        "CREATE TABLE dev.sales.`a\tb` (x INT)",
        "CREATE TABLE dev.sales._files (x INT)",
        "CREATE VIEW dev.sales.`../v` AS SELECT 1 AS x",
        "CREATE SCHEMA dev.`x.y`",
        "CREATE SCHEMA dev._s",
        "CREATE CATALOG `..`",
        "CREATE VOLUME dev.sales.`v/w`",
        "CREATE FUNCTION dev.sales.`f.g`() RETURNS INT RETURN 1",
    ],
)
def test_names_that_cannot_be_a_file_are_refused(spark: SparkSession, statement: str) -> None:
    assert "is no valid name" in refusal(spark, statement)


def test_merge_history_and_time_travel(spark: SparkSession) -> None:
    spark.sql("CREATE TABLE dev.sales.stock AS SELECT 1 AS id, 10 AS n")
    spark.sql(
        "MERGE INTO dev.sales.stock t USING (SELECT * FROM VALUES (1, 11), (2, 20) AS s(id, n)) s"
        " ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    assert rows(spark, "SELECT * FROM dev.sales.stock ORDER BY id") == [(1, 11), (2, 20)]
    assert rows(spark, "SELECT * FROM dev.sales.stock VERSION AS OF 0") == [(1, 10)]
    history = spark.sql("DESCRIBE HISTORY dev.sales.stock").select("operation").collect()
    assert [row[0] for row in history] == ["MERGE", "CREATE TABLE AS SELECT"]
    detail = spark.sql("DESCRIBE DETAIL dev.sales.stock").select("name").collect()
    assert [row[0] for row in detail] == ["dev.sales.stock"]


def test_a_view_sees_with_its_own_schema(spark: SparkSession) -> None:
    spark.sql("USE dev.sales")
    spark.sql("CREATE VIEW seen COMMENT 'two rows' AS SELECT count(*) AS n FROM orders")
    spark.sql("USE main.default")
    assert rows(spark, "SELECT n FROM dev.sales.seen") == [(2,)]
    assert "WRONG_COMMAND_FOR_OBJECT_TYPE" in refusal(spark, "DROP TABLE dev.sales.seen")
    assert "ALREADY_EXISTS" in refusal(spark, "CREATE TABLE dev.sales.seen (x INT)")


def test_sql_functions_by_one_two_and_three_parts(spark: SparkSession) -> None:
    spark.sql("CREATE FUNCTION dev.sales.twice(x INT) RETURNS INT RETURN x * 2")
    spark.sql("USE dev.sales")
    assert rows(spark, "SELECT twice(2), sales.twice(3), dev.sales.twice(4)") == [(4, 6, 8)]
    assert "ROUTINE_ALREADY_EXISTS" in refusal(
        spark, "CREATE FUNCTION twice(x INT) RETURNS INT RETURN x"
    )
    spark.sql("DROP FUNCTION twice")
    assert "UNRESOLVED_ROUTINE" in refusal(spark, "SELECT twice(2)")


def test_a_volume_is_a_path_to_spark(engine: Engine, spark: SparkSession) -> None:
    spark.sql("CREATE VOLUME dev.sales.raw COMMENT 'it''s raw'")
    spark.range(4).write.parquet("/Volumes/dev/sales/raw/in")
    assert spark.read.parquet("/Volumes/dev/sales/raw/in").count() == 4
    assert spark.read.parquet("dbfs:/Volumes/dev/sales/raw/in").count() == 4
    assert (engine.root / "dev" / "sales" / "_files" / "raw" / "in" / "_SUCCESS").exists()
    assert rows(spark, "SHOW VOLUMES IN dev.sales") == [("sales", "raw")]


def test_a_volume_that_is_not_there_takes_no_files(spark: SparkSession) -> None:
    with pytest.raises(Exception, match=r"the volume dev\.sales\.none does not exist"):
        spark.range(1).write.parquet("/Volumes/dev/sales/none/in")


def test_information_schema_lists_tables_and_views(spark: SparkSession) -> None:
    spark.sql("CREATE SCHEMA dev.listed")
    spark.sql("CREATE TABLE dev.listed.t (a INT)")
    spark.sql("CREATE VIEW dev.listed.v AS SELECT 1 AS b")
    assert rows(
        spark,
        "SELECT table_name, table_type, table_owner FROM dev.information_schema.tables"
        " WHERE table_schema = 'listed' ORDER BY 1",
    ) == [("t", "MANAGED", ANN), ("v", "VIEW", ANN)]
    assert rows(
        spark,
        "SELECT table_name, column_name, full_data_type FROM dev.information_schema.columns"
        " WHERE table_schema = 'listed' ORDER BY 1",
    ) == [("t", "a", "int"), ("v", "b", "int")]


def test_comments_may_stand_in_a_statement_of_ours(spark: SparkSession) -> None:
    spark.sql("-- one\n/* two /* three */ */ CREATE /* four */ CATALOG told -- five\n;")
    assert ("told",) in rows(spark, "SHOW CATALOGS LIKE 't*'")
    spark.sql("DROP CATALOG told")


def test_parameters_reach_a_query(spark: SparkSession) -> None:
    query = spark.sql(
        "SELECT count(*) FROM IDENTIFIER(:t) WHERE id = :i", {"t": "dev.sales.orders", "i": 1}
    )
    assert query.collect()[0][0] == 1


def test_parameters_reach_a_statement_that_spark_lacks(spark: SparkSession) -> None:
    spark.sql("USE CATALOG IDENTIFIER(:c)", {"c": "dev"})
    spark.sql("CREATE VOLUME IDENTIFIER(:s || '.asked')", {"s": "dev.sales"})
    grant = "GRANT READ VOLUME ON VOLUME IDENTIFIER(?) TO ? -- :none"
    spark.sql(grant, args=["dev.sales.asked", "eve@laketop.local"])
    assert rows(spark, "SHOW GRANTS ON VOLUME dev.sales.asked")[0][:2] == (
        "eve@laketop.local",
        "READ VOLUME",
    )
    spark.sql("DROP VOLUME dev.sales.asked")
    with pytest.raises(Exception, match="UNBOUND_SQL_PARAMETER"):
        spark.sql("GRANT READ VOLUME ON VOLUME dev.sales.asked TO :who", {"other": BOB})


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE MATERIALIZED VIEW dev.sales.m AS SELECT 1", "Materialized views"),
        ("CREATE EXTERNAL VOLUME dev.sales.e LOCATION 's3://b/p'", "There is no storage of s3"),
        ("CREATE TABLE delta.`/tmp/c` DEEP CLONE dev.sales.orders", "DEEP CLONE to a path"),
        ("CREATE TABLE spark_catalog.default.t (a INT)", "spark_catalog keeps nothing"),
        ("CREATE VIEW spark_catalog.default.v AS SELECT 1 AS a", "spark_catalog keeps nothing"),
        ("DROP CATALOG main CASCADE", "where sessions begin"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    spark: SparkSession, statement: str, why: str
) -> None:
    assert why in refusal(spark, statement)


def test_a_failed_create_leaves_nothing(engine: Engine, spark: SparkSession) -> None:
    failing = "CREATE TABLE dev.sales.half AS SELECT 9 DIV (id - 7) AS a FROM range(9)"
    assert "TASK_WRITE_FAILED" in refusal(spark, failing)
    assert not (engine.root / "dev" / "sales" / "half").exists()
    spark.sql("CREATE TABLE dev.sales.half AS SELECT 5 AS a")
    assert rows(spark, "SELECT a FROM dev.sales.half") == [(5,)]


def test_of_writers_that_create_one_table_at_once_one_wins(
    engine: Engine, spark: SparkSession
) -> None:
    told: list[str] = []

    def create(number: int) -> None:
        session = engine.session()
        try:
            session.range(100).selectExpr(f"{number} AS n").write.saveAsTable("dev.sales.race")
            told.append("made")
        except Exception as error:  # noqa: BLE001 - the text is what is looked at
            told.append(str(error))
        session.stop()

    threads = [threading.Thread(target=create, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("made") == 1
    assert sum("TABLE_OR_VIEW_ALREADY_EXISTS" in text for text in told) == 2
    assert rows(spark, "SELECT count(*), count(DISTINCT n) FROM dev.sales.race") == [(100, 1)]


def test_the_token_decides_who_the_user_is(engine: Engine, lake: SparkSession) -> None:
    session = engine.session(BOB, user_id=ANN)
    row = session.sql("SELECT current_user()").collect()[0]
    assert row.asDict() == {"current_user()": BOB}
    session.stop()


def test_a_token_that_nobody_has_is_refused(engine: Engine) -> None:
    with pytest.raises(Exception, match="a valid token is needed"):
        engine.session(token="guess").sql("SELECT 1").collect()


def test_without_a_grant_a_table_is_closed_and_so_is_its_plan(
    spark: SparkSession, bobs: SparkSession
) -> None:
    spark.sql("CREATE TABLE dev.sales.closed AS SELECT 1 AS a")
    spark.sql(f"GRANT USE CATALOG ON CATALOG dev TO `{BOB}`")
    spark.sql(f"GRANT USE SCHEMA, CREATE TABLE ON SCHEMA dev.sales TO `{BOB}`")
    for statement in ("SELECT * FROM dev.sales.closed", "EXPLAIN SELECT * FROM dev.sales.closed"):
        assert "does not have SELECT on TABLE 'dev.sales.closed'" in refusal(bobs, statement)
    spark.sql(f"GRANT SELECT ON TABLE dev.sales.closed TO `{BOB}`")
    assert rows(bobs, "SELECT a FROM dev.sales.closed") == [(1,)]
    for statement in (
        "INSERT INTO dev.sales.closed VALUES (2)",
        "EXPLAIN DELETE FROM dev.sales.closed",
    ):
        assert "does not have MODIFY" in refusal(bobs, statement)
    assert "does not have MANAGE" in refusal(bobs, "DROP CATALOG dev CASCADE")
    bobs.sql("CREATE TABLE dev.sales.bobs AS SELECT 1 AS a")
    bobs.sql("INSERT INTO dev.sales.bobs VALUES (2)")


def test_a_dropped_table_takes_its_grants_along(spark: SparkSession) -> None:
    spark.sql("CREATE TABLE dev.sales.granted (a INT)")
    spark.sql(f"GRANT SELECT ON TABLE dev.sales.granted TO `{BOB}`")
    spark.sql("DROP TABLE dev.sales.granted")
    spark.sql("CREATE TABLE dev.sales.granted (a INT)")
    granted = rows(spark, "SHOW GRANTS ON TABLE dev.sales.granted")
    assert "TABLE" not in {row[2] for row in granted}


def test_the_ready_file_says_warm_and_the_warm_up_leaves_nothing(engine: Engine) -> None:
    engine.wait("warm")
    assert not (engine.root / "_warm").exists()


def test_an_engine_that_nobody_uses_ends_by_itself(launch: Launch, tmp_path: Path) -> None:
    idle = launch(tmp_path, idle_seconds=1)
    assert idle.process.wait(PATIENCE_SECONDS) == 0
    assert idle.ready.read_text(encoding="utf-8") == "serving"


def test_an_engine_ends_with_its_parent(launch: Launch, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        orphan = launch(tmp_path, parent=parent.pid)
        time.sleep(1)
        assert orphan.process.poll() is None
        parent.kill()
    assert orphan.process.wait(PATIENCE_SECONDS) == 1

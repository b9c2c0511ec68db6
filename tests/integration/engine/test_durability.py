# ruff: noqa: S608  the names are the tests' own
"""Writers side by side lose nothing, and other readers of Delta see the same.

Small by default; at full size with `nox -s torture`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from deltalake import DeltaTable, write_deltalake
from hypothesis import settings
from pyspark.sql import SparkSession

from laketop.engine import RemoteEngine
from laketop.settings import Settings

FULL = settings().max_examples >= 10_000
WRITERS, APPENDS = (8, 100) if FULL else (4, 4)


def rows(session: SparkSession, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.sql(statement).collect()]


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

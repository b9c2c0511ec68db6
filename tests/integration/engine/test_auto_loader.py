# ruff: noqa: S608  the names are the tests' own
"""Auto Loader: `cloudFiles` streams of new files, their schema inferred, kept and evolved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from laketop.settings import Settings


@pytest.fixture
def volume(spark: SparkSession, schema: str) -> str:
    """Return the path of an empty volume."""
    spark.sql(f"CREATE VOLUME {schema}.files")
    return f"/Volumes/{schema.replace('.', '/')}/files"


@pytest.fixture
def inbox(laketop_project: Path, schema: str, volume: str) -> Path:
    """Return the folder behind the volume into which files come."""
    catalog, name = schema.split(".")
    place = Settings.read(laketop_project).state / "catalog" / catalog / name / "_files/files/in"
    place.mkdir(parents=True)
    return place


def put(inbox: Path, name: str, *rows: Mapping[str, Any]) -> None:
    (inbox / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def load(spark: SparkSession, volume: str, table: str, **options: str) -> None:
    """Append what is new to the table, and fail where the stream fails."""
    reader = (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "json")
        .option("cloudFiles.schemaLocation", f"{volume}/state")
    )
    for name, value in options.items():
        reader = reader.option(f"cloudFiles.{name}", value)
    query = (
        reader.load(f"{volume}/in")
        .writeStream.option("checkpointLocation", f"{volume}/state")
        .option("mergeSchema", "true")
        .trigger(availableNow=True)
        .toTable(table)
    )
    query.awaitTermination()


def rows(spark: SparkSession, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in spark.sql(statement).collect()]


def test_each_file_is_read_once_and_new_columns_are_added(
    spark: SparkSession, schema: str, volume: str, inbox: Path
) -> None:
    table = f"{schema}.bronze"
    put(inbox, "a.json", {"id": 1, "name": "x"})
    load(spark, volume, table)
    load(spark, volume, table)
    assert rows(spark, f"SELECT id, name, _rescued_data FROM {table}") == [("1", "x", None)]
    put(inbox, "b.json", {"id": 2, "extra": {"deep": True}})
    load(spark, volume, table)
    assert rows(spark, f"SELECT id, name, extra FROM {table} ORDER BY id") == [
        ("1", "x", None),
        ("2", None, '{"deep": true}'),
    ]


def test_types_are_inferred_or_hinted_and_what_does_not_fit_is_rescued(
    spark: SparkSession, schema: str, volume: str, inbox: Path
) -> None:
    table = f"{schema}.typed"
    put(inbox, "a.json", {"id": 1, "day": "2024-02-29"})
    typed = {
        "inferColumnTypes": "true",
        "schemaHints": "day DATE",
        "schemaEvolutionMode": "rescue",
    }
    load(spark, volume, table, **typed)
    assert spark.table(table).schema.simpleString() == (
        "struct<day:date,id:bigint,_rescued_data:string>"
    )
    put(inbox, "b.json", {"id": "no number", "day": "2024-03-01", "extra": {"deep": True}})
    load(spark, volume, table, **typed)
    statement = f"SELECT id, string(day), _rescued_data FROM {table} ORDER BY day"
    assert rows(spark, statement) == [
        (1, "2024-02-29", None),
        (
            None,
            "2024-03-01",
            f'{{"id":"no number","extra":{{"deep":true}},"_file_path":"file:{volume}/in/b.json"}}',
        ),
    ]


def test_new_columns_fail_or_are_left_out_as_the_mode_says(
    spark: SparkSession, schema: str, volume: str, inbox: Path
) -> None:
    put(inbox, "a.json", {"id": 1})
    load(spark, volume, f"{schema}.t", schemaEvolutionMode="failOnNewColumns")
    put(inbox, "b.json", {"id": 2, "more": 1})
    with pytest.raises(Exception, match=r"NEW_FIELDS_IN_FILE.*\[more\]"):
        load(spark, volume, f"{schema}.t", schemaEvolutionMode="failOnNewColumns")
    load(spark, volume, f"{schema}.t", schemaEvolutionMode="none")
    assert rows(spark, f"SELECT id FROM {schema}.t ORDER BY id") == [("1",), ("2",)]


def test_a_given_schema_partitions_what_is_rescued_and_the_name_of_each_file(
    spark: SparkSession, schema: str, volume: str, inbox: Path
) -> None:
    for day in ("2024-01-01", "2024-01-02"):
        (inbox / f"day={day}").mkdir()
        put(inbox / f"day={day}", "a.json", {"id": 1, "day": day, "more": day[-1]})
    query = (
        spark.readStream.format("cloudFiles")
        .option("cloudFiles.format", "json")
        .option("rescuedDataColumn", "rest")
        .schema("id INT, day DATE")
        .load(f"{volume}/in")
        .selectExpr(
            "id", "day", "get_json_object(rest, '$.more') AS more", "_metadata.file_name AS file"
        )
        .writeStream.option("checkpointLocation", f"{volume}/state")
        .trigger(availableNow=True)
        .toTable(f"{schema}.t")
    )
    query.awaitTermination()
    found = rows(spark, f"SELECT id, string(day), more, file FROM {schema}.t ORDER BY day")
    assert found == [(1, "2024-01-01", "1", "a.json"), (1, "2024-01-02", "2", "a.json")]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cloudFiles.format": "json"}, "set cloudFiles.schemaLocation"),
        ({"cloudFiles.format": "pdf"}, "CF_UNSUPPORTED_FORMAT"),
        ({"cloudFiles.format": "json", "cloudFiles.nothing": "1"}, "cloudFiles.nothing is not"),
        (
            {"cloudFiles.format": "parquet", "cloudFiles.schemaEvolutionMode": "rescue"},
            "is rescued from json and csv, not from parquet",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(
    spark: SparkSession, volume: str, inbox: Path, options: dict[str, str], told: str
) -> None:
    put(inbox, "a.json", {"id": 1})
    with pytest.raises(Exception, match=told):
        spark.readStream.format("cloudFiles").options(**options).load(f"{volume}/in").schema  # noqa: B018


def test_an_empty_folder_has_no_schema(spark: SparkSession, volume: str, inbox: Path) -> None:
    options = {"cloudFiles.format": "json", "cloudFiles.schemaLocation": f"{volume}/state"}
    reader = spark.readStream.format("cloudFiles").options(**options)
    with pytest.raises(Exception, match="CF_EMPTY_DIR_FOR_SCHEMA_INFERENCE"):
        reader.load(f"{volume}/in").schema  # noqa: B018

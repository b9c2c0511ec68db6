"""Delta's log is read without jobs and generated code: what it tells is what it always told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

OF_THE_LOG = ("add", "remove", "metaData", "protocol")
ORDINARY = ("a", "r", "m", "p")
VALUES = (
    "named_struct('path', concat('f', id), 'tags', map('k', cast(id as string)))",
    "array(cast(id as decimal(12, 2)), null)",
    "date_add(date'2026-01-01', cast(id as int))",
    "if(id % 3 = 0, null, cast(id as int))",
)


def stored(spark: SparkSession, table: str, names: tuple[str, ...]) -> DataFrame:
    rows = spark.range(40).selectExpr(*map("{} as {}".format, VALUES, names))
    rows.write.saveAsTable(table)
    spark.sql(f"update {table} set {names[3]} = -1 where {names[0]}.path = 'f7'")  # noqa: S608
    return spark.table(table)


def answers(frame: DataFrame, names: tuple[str, ...]) -> list[list[object]]:
    add, remove, meta, protocol = map(sf.col, names)
    wide = [(protocol + number).alias(f"more{number}") for number in range(120)]
    other = frame.select(names[3], meta.alias("other"))
    asked = (
        frame.select("*", *wide).orderBy(add["path"]),
        frame.where(protocol.isNotNull()).select(meta, add["tags"]["k"], remove[0]).orderBy(meta),
        frame.groupBy(protocol % 4).agg(sf.max(meta), sf.sum(remove[0])).orderBy(sf.max(meta)),
        frame.select("*", frame.agg(sf.max(meta).alias("last")).scalar().alias("last"))
        .where(protocol > 30)
        .orderBy(meta),
        frame.join(other, names[3]).select(meta, "other").orderBy(meta),
        frame.sparkSession.createDataFrame(frame.toPandas(), frame.schema).orderBy(meta),
    )
    return [[tuple(row) for row in rows.collect()] for rows in asked]


def test_a_table_whose_columns_are_named_as_deltas_actions_answers_as_any_other(
    spark: SparkSession, schema: str
) -> None:
    of_the_log = stored(spark, f"{schema}.of_the_log", OF_THE_LOG)
    ordinary = stored(spark, f"{schema}.ordinary", ORDINARY)
    assert answers(of_the_log, OF_THE_LOG) == answers(ordinary, ORDINARY)


def test_checkpoints_are_read_as_the_log_is(spark: SparkSession, schema: str) -> None:
    table = f"{schema}.checked"
    properties = "tblproperties ('delta.checkpointInterval' = '2')"
    spark.sql(f"create table {table} (id bigint) using delta {properties}")
    for number in range(5):
        spark.range(number, number + 1).write.mode("append").saveAsTable(table)
    spark.sql(f"delete from {table} where id = 3")  # noqa: S608
    assert sorted(row.id for row in spark.table(table).collect()) == [0, 1, 2, 4]
    assert spark.read.option("versionAsOf", 3).table(table).count() == 3
    assert spark.sql(f"describe detail {table}").collect()[0].numFiles == 4


def test_files_are_skipped_alike_where_a_table_has_few_and_where_it_has_many(
    spark: SparkSession, schema: str
) -> None:
    for table, files in ((f"{schema}.few", 3), (f"{schema}.many", 1_500)):
        spark.sql(f"create table {table} (id bigint) using delta")
        place = spark.sql(f"describe detail {table}").collect()[0].location
        log = Path(place.removeprefix("file:")) / "_delta_log" / f"{1:020}.json"
        log.write_text("\n".join(json.dumps(added(number)) for number in range(files)))
        assert spark.sql(f"describe detail {table}").collect()[0].numFiles == files
        planned = spark.table(table).where("id between 1 and 2").inputFiles()
        assert sorted(Path(file).name for file in planned) == ["1.parquet", "2.parquet"]


def added(number: int) -> dict[str, object]:
    """Return the action that adds a file, which nobody reads, of one row."""
    bounds = {"id": number}
    stats = {"numRecords": 1, "minValues": bounds, "maxValues": bounds, "nullCount": {"id": 0}}
    file = {"path": f"{number}.parquet", "partitionValues": {}, "size": 1, "modificationTime": 0}
    return {"add": {**file, "dataChange": True, "stats": json.dumps(stats)}}

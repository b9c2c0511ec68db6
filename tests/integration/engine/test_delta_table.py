# ruff: noqa: S608  the names are the tests' own
"""`from delta.tables import DeltaTable` in unmodified code, over Spark Connect."""

from __future__ import annotations

from typing import Any

import pytest
from delta.tables import DeltaTable, IdentityGenerator
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import IntegerType, StringType, StructField, StructType


@pytest.fixture
def stock(spark: SparkSession, schema: str) -> str:
    name = f"{schema}.stock"
    spark.sql(f"CREATE TABLE {name} AS SELECT * FROM VALUES (1, 10), (2, 20) AS t(id, n)")
    return name


def rows(spark: SparkSession, table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in spark.table(table).collect())


def test_a_table_is_found_by_its_three_part_name_and_by_its_path(
    spark: SparkSession, stock: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert DeltaTable.forName(spark, stock).toDF().count() == 2
    path = str(tmp_path_factory.mktemp("delta") / "t")
    assert not DeltaTable.isDeltaTable(spark, path)
    spark.range(3).write.format("delta").save(path)
    assert DeltaTable.isDeltaTable(spark, path)
    assert DeltaTable.forPath(spark, path).toDF().count() == 3


def test_merge_with_every_clause(spark: SparkSession, stock: str) -> None:
    source = spark.createDataFrame([(1, 11), (3, 30), (4, -1)], "id INT, n INT")
    merged = (
        DeltaTable.forName(spark, stock)
        .alias("t")
        .merge(source.alias("s"), "t.id = s.id")
        .whenMatchedUpdate(set={"n": f.col("s.n") + 1})
        .whenNotMatchedInsert(condition="s.n > 0", values={"id": "s.id", "n": "s.n"})
        .whenNotMatchedBySourceDelete()
        .execute()
    )
    assert merged.collect()[0].num_affected_rows == 3
    assert rows(spark, stock) == [(1, 12), (3, 30)]


def test_merge_all_with_schema_evolution(spark: SparkSession, stock: str) -> None:
    source = spark.createDataFrame([(2, 21, "b"), (5, 50, "e")], "id INT, n INT, v STRING")
    target = DeltaTable.forName(spark, stock)
    (
        target.alias("t")
        .merge(source.alias("s"), f.expr("t.id = s.id"))
        .withSchemaEvolution()
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute()
    )
    assert rows(spark, stock) == [(1, 10, None), (2, 21, "b"), (5, 50, "e")]


def test_update_and_delete_return_what_they_changed(spark: SparkSession, stock: str) -> None:
    table: Any = DeltaTable.forName(spark, stock)  # its types say None, Connect gives a frame
    assert table.update("id = 1", {"n": "n * 2"}).collect()[0].num_affected_rows == 1
    assert table.delete(f.col("id") == 2).collect()[0].num_affected_rows == 1
    assert rows(spark, stock) == [(1, 20)]


def test_history_detail_and_restore(spark: SparkSession, stock: str) -> None:
    table = DeltaTable.forName(spark, stock)
    table.delete()
    assert table.history(1).collect()[0].operation == "DELETE"
    assert table.detail().collect()[0].name == stock
    table.restoreToVersion(0)
    assert rows(spark, stock) == [(1, 10), (2, 20)]


def test_restore_and_clone_take_a_moment_too(spark: SparkSession, stock: str) -> None:
    table = DeltaTable.forName(spark, stock)
    moment = str(table.history().collect()[0].timestamp)
    spark.sql(f"INSERT INTO {stock} VALUES (3, 30)")
    copy = table.cloneAtTimestamp(moment, f"{stock}_then", isShallow=True)
    first = table.cloneAtVersion(
        0, f"{stock}_first", isShallow=True, replace=True, properties={"team": "it's ml"}
    )
    assert copy.toDF().count() == first.toDF().count() == 2
    assert first.detail().collect()[0].properties["team"] == "it's ml"
    table.restoreToTimestamp(moment)
    assert rows(spark, stock) == [(1, 10), (2, 20)]


def test_parquet_becomes_delta(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = str(tmp_path_factory.mktemp("parquet") / "t")
    spark.range(4).selectExpr("id", "id % 2 AS k").write.partitionBy("k").parquet(path)
    table = DeltaTable.convertToDelta(spark, f"parquet.`{path}`", "k BIGINT")
    assert DeltaTable.isDeltaTable(spark, path)
    assert table.toDF().count() == 4
    assert table.detail().collect()[0].partitionColumns == ["k"]


def test_optimize_and_vacuum(spark: SparkSession, stock: str) -> None:
    table = DeltaTable.forName(spark, stock)
    spark.sql(f"INSERT INTO {stock} VALUES (3, 30)")
    assert table.optimize().executeCompaction().collect()[0].metrics.numFilesRemoved >= 2
    table.optimize().executeZOrderBy("id")
    table.vacuum()
    table.vacuum(200)
    assert rows(spark, stock)[2] == (3, 30)


def test_clones_are_tables_and_a_deep_one_outlives_its_source(
    spark: SparkSession, stock: str
) -> None:
    table = DeltaTable.forName(spark, stock)
    copy = table.clone(f"{stock}_copy", isShallow=True)
    copy.delete("id = 1")
    assert rows(spark, f"{stock}_copy") == [(2, 20)]
    assert rows(spark, stock) == [(1, 10), (2, 20)]
    deep = table.clone(f"{stock}_deep")
    spark.sql(f"DROP TABLE {stock}")
    deep.delete("id = 2")
    assert rows(spark, f"{stock}_deep") == [(1, 10)]


def test_builders_make_tables(spark: SparkSession, schema: str) -> None:
    name = f"{schema}.built"
    built = (
        DeltaTable.create(spark)
        .tableName(name)
        .comment("made by hand")
        .addColumn("id", "BIGINT", generatedByDefaultAs=IdentityGenerator())
        .addColumn("day", "DATE", nullable=False, comment="when")
        .addColumn("year", "INT", generatedAlwaysAs="year(day)")
        .partitionedBy("year")
        .property("delta.appendOnly", "false")
        .execute()
    )
    spark.sql(f"INSERT INTO {name} (day) VALUES (DATE'2024-02-29')")
    assert built.toDF().selectExpr("id", "year").collect() == [(1, 2024)]
    detail = built.detail().collect()[0]
    assert (detail.description, detail.partitionColumns) == ("made by hand", ["year"])
    DeltaTable.createIfNotExists(spark).tableName(name).addColumn("x", "INT").execute()
    assert built.toDF().columns == ["id", "day", "year"]
    replaced = DeltaTable.createOrReplace(spark).tableName(name).addColumn("x", "INT").execute()
    assert replaced.toDF().columns == ["x"]


def test_builders_make_tables_at_a_path_and_from_a_schema(
    spark: SparkSession, schema: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    columns = StructType([StructField("a b", IntegerType()), StructField("c", StringType(), False)])
    path = str(tmp_path_factory.mktemp("built") / "it's")
    (
        DeltaTable.create(spark)
        .location(path)
        .addColumns(columns)
        .property("delta.columnMapping.mode", "name")
        .clusterBy("c")
        .execute()
    )
    table = DeltaTable.forPath(spark, path)
    assert table.toDF().schema == columns
    assert table.detail().collect()[0].clusteringColumns == ["c"]
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        DeltaTable.replace(spark).tableName(f"{schema}.none").addColumn("x", "INT").execute()


def test_an_unknown_name_says_so(spark: SparkSession, schema: str) -> None:
    with pytest.raises(Exception, match=r"DELTA_MISSING|TABLE_OR_VIEW_NOT_FOUND"):
        DeltaTable.forName(spark, f"{schema}.nothing").toDF().collect()

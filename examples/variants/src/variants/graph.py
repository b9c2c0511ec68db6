"""Features of a graph in plain Spark: who has how many neighbours, and who hangs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_ROUNDS = 50


def degrees(edges: DataFrame, *, src: str = "src", dst: str = "dst") -> DataFrame:
    """Return `id`, `in_degree`, `out_degree`, `degree` of every vertex that an edge names.

    Shapes: `edges` has one row an edge; an edge that is there twice counts twice, one to itself
    in both directions. An edge with a null end is none.
    """
    from pyspark.sql import functions as F

    known = edges.where(F.col(src).isNotNull() & F.col(dst).isNotNull())
    ends = known.select(F.col(src).alias("id"), F.lit(1).alias("o"), F.lit(0).alias("i")).unionAll(
        known.select(F.col(dst).alias("id"), F.lit(0).alias("o"), F.lit(1).alias("i"))
    )
    return ends.groupBy("id").agg(
        F.sum("i").alias("in_degree"),
        F.sum("o").alias("out_degree"),
        F.count(F.lit(1)).alias("degree"),
    )


def components(edges: DataFrame, *, scratch: str, src: str = "src", dst: str = "dst") -> DataFrame:
    """Return `id` and `component`, the least id of all that hang together, direction aside.

    Each round gives a vertex the least component of its neighbours, then the component of that
    one, which halves long ways. Rounds are kept in the Delta table `scratch`, which the answer is
    read from and which stays.
    Errors: RuntimeError when it is not settled after MOST_ROUNDS rounds.
    """
    from pyspark.sql import functions as F

    spark = edges.sparkSession
    known = edges.where(F.col(src).isNotNull() & F.col(dst).isNotNull())
    one_way = known.select(F.col(src).alias("id"), F.col(dst).alias("near"))
    ways = one_way.unionAll(one_way.select(F.col("near").alias("id"), F.col("id").alias("near")))
    first = ways.groupBy("id").agg(F.min("near").alias("least"))
    _keep(first.select("id", F.least("id", "least").alias("component")), scratch)
    for _ in range(MOST_ROUNDS):
        _keep(_nearer(ways, spark.table(scratch)), scratch)
        if spark.table(scratch).where("changed").isEmpty():
            return spark.table(scratch).select("id", "component")
    raise RuntimeError(f"the components are not settled after {MOST_ROUNDS} rounds")


def _nearer(ways: DataFrame, now: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    told = now.select(F.col("id").alias("near"), F.col("component").alias("told"))
    least = ways.join(told, "near").groupBy("id").agg(F.min("told").alias("told"))
    jumped = now.select(F.col("id").alias("told"), F.col("component").alias("jumped"))
    best = F.least("component", "told", "jumped")
    return (
        now.select("id", "component")
        .join(least, "id")
        .join(jumped, "told")
        .select("id", best.alias("component"), (best != F.col("component")).alias("changed"))
    )


def _keep(rows: DataFrame, name: str) -> None:
    rows.writeTo(name).using("delta").createOrReplace()

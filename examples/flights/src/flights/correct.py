"""Merge the files of late and corrected flights that have arrived into the table `flights`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flights.features import KEYS
from flights.parameters import Parameters, read
from laketop.ml import merge

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FOLDER = "corrections"


def main() -> None:
    """Run the step with the parameters of the process."""
    spark, run = SparkSession.builder.getOrCreate(), read()
    arrived = spark.read.parquet(f"/Volumes/{run.catalog}/{run.schema}/{FOLDER}")
    print(f"correct: {correct(spark, run, arrived):,} flights added or corrected", flush=True)


def correct(spark: SparkSession, run: Parameters, arrived: DataFrame) -> int:
    """Merge the flights of `arrived` by KEYS and return how many are new or changed.

    Shapes: `arrived` has the columns of `flights`. Those that the table holds already are passed
    over, so that the same files again write no new version, which would start a refresh.
    Errors: ValueError when a flight arrived twice with different facts.
    """
    table = spark.table(run.table("flights"))
    columns = table.columns
    new = arrived.select(*columns).distinct().exceptAll(table)
    found = new.count()
    if found:
        merge(spark, run.table("flights"), new, KEYS)
    return found

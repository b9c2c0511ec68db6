"""Load the raw flights and weather into Delta tables, unless the same rows are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flights import source
from flights.figures import Step
from flights.months import span
from flights.parameters import Parameters, read
from laketop.ml import exists, properties

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

SOURCE = "flights.source_sha256"
SLICE = "flights.slice"


def main() -> None:
    """Run the step with the parameters of the process."""
    ingest(SparkSession.builder.getOrCreate(), read())


def ingest(spark: SparkSession, run: Parameters) -> None:
    """Write the tables `flights` and `weather`.

    Shapes: the columns of the files; keys (time_hour, carrier, flight, origin) and
    (origin, time_hour).
    Errors: SourceChanged when a file is not the expected one.
    """
    step = Step(spark, run, "ingest")
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {run.full_schema}")
    months = span(run.first_month, run.last_month)
    part = f"{run.origin or 'all'} {months[0]}..{months[-1]}"
    loaded = [
        _load(
            spark,
            run.table("flights"),
            "flights.csv.zip",
            part,
            lambda content: source.flights(content, origin=run.origin, months=months),
        ),
        _load(
            spark,
            run.table("weather"),
            "weather.csv",
            run.origin or "all",
            lambda content: source.weather(content, origin=run.origin),
        ),
    ]
    counts = [spark.table(run.table(name)).count() for name in ("flights", "weather")]
    done = "loaded" if any(loaded) else "there already"
    step.record(
        on=part, figure=f"{counts[0]:,} flights, {counts[1]:,} hours of weather, {done}"
    )


def _load(
    spark: SparkSession, table: str, file: str, part: str, parse: Callable[[bytes], pa.Table]
) -> bool:
    content = source.checked(file)
    wanted = {SOURCE: source.DIGESTS[file], SLICE: part}
    if exists(spark, table) and wanted.items() <= properties(spark, table).items():
        return False
    writer = spark.createDataFrame(parse(content)).writeTo(table).using("delta")
    for name, value in wanted.items():
        writer = writer.tableProperty(name, value)
    writer.createOrReplace()
    return True


if __name__ == "__main__":
    main()

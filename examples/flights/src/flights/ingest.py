"""Land the raw files in a volume and load them into Delta tables, unless they are there already."""

from __future__ import annotations

from pathlib import Path
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
FILES = {"flights": "flights.csv.zip", "weather": "weather.csv"}
ROW_GROUP = 50_000  # rows; several groups a file let Spark read it in parallel


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
    spark.sql(f"CREATE VOLUME IF NOT EXISTS {run.table('raw')}")
    months = span(run.first_month, run.last_month)
    part = f"{run.origin or 'all'} {months[0]}..{months[-1]}"
    loaded = [
        _load(spark, run, "flights", part, lambda: _flights(run.origin, months)),
        _load(spark, run, "weather", run.origin or "all", lambda: _weather(run.origin)),
    ]
    counts = [spark.table(run.table(name)).count() for name in ("flights", "weather")]
    done = "loaded" if any(loaded) else "there already"
    step.record(on=part, figure=f"{counts[0]:,} flights, {counts[1]:,} hours of weather, {done}")


def _flights(origin: str, months: tuple[str, ...]) -> pa.Table:
    return source.flights(source.checked(FILES["flights"]), origin=origin, months=months)


def _weather(origin: str) -> pa.Table:
    return source.weather(source.checked(FILES["weather"]), origin=origin)


def _load(
    spark: SparkSession, run: Parameters, name: str, part: str, rows: Callable[[], pa.Table]
) -> bool:
    table = run.table(name)
    wanted = {SOURCE: source.DIGESTS[FILES[name]], SLICE: part}
    if exists(spark, table) and wanted.items() <= properties(spark, table).items():
        return False
    landed = f"/Volumes/{run.catalog}/{run.schema}/raw/{name}.parquet"
    _write(rows(), landed)
    writer = spark.read.parquet(landed).writeTo(table).using("delta")
    for key, value in wanted.items():
        writer = writer.tableProperty(key, value)
    writer.createOrReplace()
    return True


def _write(rows: pa.Table, path: str) -> None:
    from pyarrow import parquet

    with Path(path).open("wb") as file:
        parquet.write_table(rows, file, row_group_size=ROW_GROUP)


if __name__ == "__main__":
    main()

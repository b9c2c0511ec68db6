"""Ten days of look-ups as of a time, against Feast's local join; `nox -s feast` runs it.

Feast runs in a process of an environment of its own, whose Python FEAST_PYTHON names, with the
faster of its two local stores, DuckDB. Both of them first join every observation with every row of
its key: the work grows by the square of the time, and a year does not end in 10 GB of memory.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from benchmarks import flights_data
from benchmarks.bench_point_in_time import BUNDLE, SCHEMA, lookups
from benchmarks.project import session, warm_project
from benchmarks.ratios import compare, run

from laketop.ml import FeatureEngineeringClient

BEGIN = pd.Timestamp("2013-02-01", tz="UTC")
END = BEGIN + pd.Timedelta(days=10)


@contextmanager
def feast(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield the process that joins at each line it is sent."""
    program = Path(__file__).with_name("feast_join.py")
    with subprocess.Popen(
        [os.environ["FEAST_PYTHON"], "-W", "ignore", str(program), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("Feast did not come up")
        yield process
        process.kill()


def asked(process: subprocess.Popen[str]) -> int:
    """Let Feast join once, and return how many rows came out."""
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101 - pipes were asked for
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def main() -> None:
    """Print the ratio."""
    rows = flights_data.flights()
    flights = rows[["id", "origin", "at", "since"]]
    frames = {
        "flights": flights[(flights["at"] >= BEGIN) & (flights["at"] < END)],
        "weather": flights_data.weather(),
        "delays": flights_data.delays(rows, by="departed_at"),
    }
    for name in ("weather", "delays"):
        frames[name] = frames[name][(frames[name]["ts"] >= BEGIN) & (frames[name]["ts"] < END)]
    with (
        tempfile.TemporaryDirectory() as name,
        warm_project(BUNDLE, {}) as (_, contact),
        session(contact) as spark,
    ):
        client = FeatureEngineeringClient(spark=spark)
        for table, frame in frames.items():
            flights_data.make_table(spark, client, f"{SCHEMA}.{table}", frame, Path(name))

        def ours() -> None:
            found = client.create_training_set(
                df=spark.table(f"{SCHEMA}.flights"), feature_lookups=lookups(), label=None
            )
            found.load_df().write.format("noop").mode("overwrite").save()

        ours()
        with feast(Path(name)) as process:
            compare(
                f"point-in-time join of {len(frames['flights']):,} rows ÷ Feast with DuckDB",
                ours,
                lambda: asked(process),
                rounds=3,
                goal=0.5,
            )


if __name__ == "__main__":
    run(main)

"""Features as of a time: a year of flights, its weather and its delays, against pandas.

337k observations look up 26k rows of weather and, at both ends of a window, the delays of every
departure: 329k of the flights left, at 279k moments. Both sides read files of the same rows and end
with the joined columns. `--growth` goes on to 10 million observations, and judges the memory that
workspace and engine hold at most.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from benchmarks import flights_data
from benchmarks.project import session, warm_project
from benchmarks.ratios import compare, judge, run, seconds
from pyspark.sql import SparkSession
from scripts.memory import Peak

from laketop.ml import FeatureEngineeringClient, FeatureLookup

BUNDLE = "bundle: {name: bench}\n"
SCHEMA = "main.default"
WARM_UPS = 8
"""The JVM goes on compiling a join's code for about so many runs of it."""


def lookups() -> list[FeatureLookup]:
    """Return the look-ups: weather, and delays at both ends of a window of four hours."""
    since = {"delay": "delay_since", "flights": "flights_since"}
    return [
        FeatureLookup(f"{SCHEMA}.weather", "origin", timestamp_lookup_key="at"),
        FeatureLookup(f"{SCHEMA}.delays", "origin", timestamp_lookup_key="at"),
        FeatureLookup(
            f"{SCHEMA}.delays", "origin", timestamp_lookup_key="since", rename_outputs=since
        ),
    ]


def by_pandas(folder: Path) -> pd.DataFrame:
    """Return what the look-ups give, by `merge_asof`."""
    df = pd.read_parquet(folder / "flights.parquet")
    sources = {n: pd.read_parquet(folder / f"{n}.parquet") for n in ("weather", "delays")}
    found = df
    for name, asked in (("weather", "at"), ("delays", "at"), ("delays", "since")):
        found = pd.merge_asof(
            found.sort_values(asked),
            sources[name].sort_values("ts"),
            left_on=asked,
            right_on="ts",
            by="origin",
            suffixes=("", "_since"),
        ).drop(columns="ts")
    return found


def main() -> None:
    """Print the ratios."""
    rows = flights_data.flights()
    frames = {
        "flights": rows[["id", "origin", "at", "since"]],
        "weather": flights_data.weather(),
        "delays": flights_data.delays(rows, by="departed_at"),
    }
    with (
        tempfile.TemporaryDirectory() as name,
        warm_project(BUNDLE, {}) as (_, contact),
        session(contact) as spark,
    ):
        folder = Path(name)
        client = FeatureEngineeringClient(spark=spark)
        for table, frame in frames.items():
            flights_data.make_table(spark, client, f"{SCHEMA}.{table}", frame, folder)

        def joined(observations: str) -> Callable[[], object]:
            def run() -> None:
                found = client.create_training_set(
                    df=spark.table(observations), feature_lookups=lookups(), label=None
                )
                found.load_df().write.format("noop").mode("overwrite").save()

            return run

        ours = joined(f"{SCHEMA}.flights")
        first, *_ = [seconds(ours) for _ in range(WARM_UPS)]
        print(f"the first of {WARM_UPS} joins that warm the engine: {first:.2f} s", flush=True)
        compare(
            "point-in-time join of 337k rows, training set ÷ pandas.merge_asof from Parquet",
            ours,
            lambda: by_pandas(folder),
            rounds=9,
            goal=3.0,
        )
        if "--growth" in sys.argv:
            _growth(spark, joined, contact.pid)


def _growth(spark: SparkSession, joined: Callable[[str], Callable[[], object]], pid: int) -> None:
    """Print how long a million rows take, however many there are, and in how much memory."""
    per_million, peaks = [], []
    for millions in (1, 3, 10):
        name = f"{SCHEMA}.asked_{millions}"
        spark.range(millions * 1_000_000).selectExpr(
            "id",
            "element_at(array('EWR', 'JFK', 'LGA'), CAST(id % 3 + 1 AS INT)) AS origin",
            "timestamp_seconds(1357020000 + id * 7919 % 31449600) AS at",
            "timestamp_seconds(1357005600 + id * 7919 % 31449600) AS since",
        ).writeTo(name).create()
        began = time.monotonic()
        with Peak(lambda: [pid], every_seconds=1.0) as peak:
            joined(name)()
        per_million.append((time.monotonic() - began) / millions)
        peaks.append(peak.bytes / 1e9)
        print(
            f"{millions} million rows: {per_million[-1]:.2f} s a million, {peaks[-1]:.2f} GB",
            flush=True,
        )
    judge("memory at 10 million rows ÷ at 1 million", peaks[-1] / max(peaks[0], 0.1), goal=1.5)
    judge("growth to 10 million rows ÷ linear", per_million[-1] / per_million[0], goal=1.5)


if __name__ == "__main__":
    run(main)

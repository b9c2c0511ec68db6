"""The data set, and what happens when it is not the one expected."""

from __future__ import annotations

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


def test_the_whole_year_is_there() -> None:
    months = tuple(f"2013-{month:02d}" for month in range(1, 13))
    rows = source.flights(source.checked("flights.csv.zip"), origin="", months=months)
    assert rows.num_rows == 336_776
    assert rows["arr_delay"].null_count == 9_430
    assert str(rows.schema.field("time_hour").type) == "timestamp[us, tz=UTC]"


def test_a_slice_holds_one_airport_and_its_months() -> None:
    content = source.checked("flights.csv.zip")
    rows = source.flights(content, origin="EWR", months=("2013-01", "2013-02"))
    assert set(rows["origin"].unique().to_pylist()) == {"EWR"}
    assert set(rows["month"].unique().to_pylist()) == {1, 2}


def test_weather_is_unique_by_airport_and_hour() -> None:
    rows = source.weather(source.checked("weather.csv"), origin="JFK")
    assert rows.num_rows == len(rows["time_hour"].unique()) == 8_706

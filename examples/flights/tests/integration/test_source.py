"""The data set, whole."""

from __future__ import annotations

from flights import source


def test_the_whole_year_is_there() -> None:
    months = tuple(f"2013-{month:02d}" for month in range(1, 13))
    rows = source.flights(source.checked("flights.csv.zip"), origin="", months=months)
    assert rows.num_rows == 336_776
    assert rows["arr_delay"].null_count == 9_430
    assert str(rows.schema.field("time_hour").type) == "timestamp[us, tz=UTC]"

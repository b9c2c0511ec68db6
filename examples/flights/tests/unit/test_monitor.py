"""When the share of late flights counts as drifted."""

from __future__ import annotations

import pytest

from flights.monitor import drift

# Late share of labelled flights by month, minus that of January to March.
YEAR = {
    "2013-04": 0.051,
    "2013-05": -0.009,
    "2013-06": 0.080,
    "2013-07": 0.086,
    "2013-08": 0.010,
    "2013-09": -0.096,
    "2013-10": -0.061,
    "2013-11": -0.055,
}


def test_june_to_july_and_september_are_the_two_alarms() -> None:
    found = drift(YEAR, threshold=0.07)
    assert found.alarms == (("2013-06", "2013-07"), ("2013-09",))
    assert found.month == "2013-06"
    assert found.late_rate_change == 0.080


def test_without_an_alarm_the_largest_change_is_told() -> None:
    found = drift(YEAR, threshold=0.2)
    assert found.alarms == ()
    assert (found.month, found.late_rate_change) == ("2013-09", 0.096)


def test_a_change_as_large_as_the_threshold_is_no_alarm() -> None:
    assert drift({"2013-04": -0.07}, threshold=0.07).alarms == ()


def test_no_label_yet_is_an_error() -> None:
    with pytest.raises(ValueError, match="no month has a label"):
        drift({}, threshold=0.07)

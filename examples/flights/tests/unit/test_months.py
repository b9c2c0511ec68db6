"""Months as text."""

from __future__ import annotations

import pytest

from flights.months import following, runs, span


def test_december_is_followed_by_january() -> None:
    assert following("2013-12") == "2014-01"
    assert following("2013-01") == "2013-02"


def test_a_span_holds_both_ends() -> None:
    assert span("2013-03", "2013-05") == ("2013-03", "2013-04", "2013-05")
    assert span("2013-03", "2013-03") == ("2013-03",)


def test_a_span_that_ends_before_it_begins_is_empty() -> None:
    assert span("2014-01", "2013-12") == ()


@pytest.mark.parametrize("month", ["2013", "2013-13", "2013-00", "13-01", "2013-1", ""])
def test_what_is_no_month_is_an_error(month: str) -> None:
    with pytest.raises(ValueError, match="is no month"):
        following(month)
    with pytest.raises(ValueError, match="is no month"):
        span("2013-01", month)


def test_neighbours_are_one_run() -> None:
    assert runs(["2013-06", "2013-07", "2013-09"]) == [["2013-06", "2013-07"], ["2013-09"]]
    assert runs([]) == []

from __future__ import annotations

import argparse

import pytest

from laketop.cli import _times


@pytest.mark.parametrize(
    ("text", "hours"), [("90d", 2160), ("1d12h", 36), ("2w", 336), ("60m", 1), ("3600s", 1)]
)
def test_spans_add_up(text: str, hours: int) -> None:
    assert _times.span(text) == hours * 3_600_000


@pytest.mark.parametrize("text", ["", "90", "d", "1y", "-1d", "1d 2h"])
def test_what_is_no_span_is_named(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no span of time"):
        _times.span(text)


def test_a_time_without_a_zone_is_utc() -> None:
    assert _times.when("1970-01-02") == 86_400_000
    assert _times.when("1970-01-01T02:00:00+01:00") == 3_600_000
    assert _times.when_or_real("real") is None
    with pytest.raises(argparse.ArgumentTypeError, match="no time"):
        _times.when("tomorrow")


def test_a_time_is_shown_in_utc() -> None:
    assert _times.shown(86_400_000) == "Fri 1970-01-02 00:00:00 UTC"

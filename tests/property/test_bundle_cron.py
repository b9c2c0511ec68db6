"""What holds for every schedule: it goes on in order, misses nothing, and keeps its own word."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from laketop.bundle.cron import Cron

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")
minutes = st.sets(st.integers(0, 59), min_size=1, max_size=4)
hours = st.sets(st.integers(0, 23), min_size=1, max_size=6)
CHANGES = (1772953200, 1793509200, 1774746000, 1792890000, 1775316600, 1791041400)
"""Seconds at which the clocks of New York, Berlin and Lord Howe change in 2026."""
around = st.tuples(st.sampled_from(CHANGES), st.integers(-20_000, 20_000)).map(sum)
moments = (st.integers(1_700_000_000, 1_900_000_000) | around).map(lambda seconds: seconds * 1000)


def text_of(minute: set[int], hour: set[int]) -> str:
    lists = (",".join(map(str, sorted(values))) for values in (minute, hour))
    return f"0 {' '.join(lists)} * * ?"


@given(minutes, hours, st.sampled_from(ZONES), moments)
def test_the_next_time_is_the_first_of_all_after(
    minute: set[int], hour: set[int], zone: str, after_ms: int
) -> None:
    cron = Cron.of(text_of(minute, hour), zone)
    found = cron.next_after(after_ms)
    assert found is not None
    assert found > after_ms
    # From any earlier start the same time is met: nothing between was skipped.
    for back_ms in (1, 3_600_000, 86_400_000):
        met = [at for at in cron.between(after_ms - back_ms, found + 1) if at > after_ms]
        assert met == [found]


@given(minutes, hours, st.sampled_from(ZONES), moments)
def test_every_wall_time_of_a_day_fires_once_however_long_the_day_is(
    minute: set[int], hour: set[int], zone: str, moment_ms: int
) -> None:
    cron = Cron.of(text_of(minute, hour), zone)
    day = dt.datetime.fromtimestamp(moment_ms / 1000, cron.zone).date()
    ends = [
        int(dt.datetime(d.year, d.month, d.day, tzinfo=cron.zone).timestamp() * 1000)
        for d in (day, day + dt.timedelta(days=1))
    ]
    count = len(list(cron.between(*ends)))
    wanted = len(minute) * len(hour)
    if ends[1] - ends[0] >= 86_400_000:
        assert count == wanted
    else:  # a skipped time lands on a later one, which may be there already
        assert 1 <= count <= wanted

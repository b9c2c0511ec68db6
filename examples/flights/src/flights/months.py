"""Months as text, "2013-04": they sort as they should."""

from __future__ import annotations

import re


def following(month: str) -> str:
    """Return the month after `month`.

    >>> following("2013-12")
    '2014-01'
    """
    year, number = _parts(month)
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def span(first: str, last: str) -> tuple[str, ...]:
    """Return the months from `first` to `last`, both included; none if `last` is earlier.

    >>> span("2013-11", "2014-01")
    ('2013-11', '2013-12', '2014-01')
    """
    months = []
    month = first
    _parts(last)
    while month <= last:
        months.append(month)
        month = following(month)
    return tuple(months)


def runs(months: list[str]) -> list[list[str]]:
    """Return sorted months as runs of neighbours: each run is one alarm.

    >>> runs(["2013-06", "2013-07", "2013-09"])
    [['2013-06', '2013-07'], ['2013-09']]
    """
    found: list[list[str]] = []
    for month in months:
        if found and following(found[-1][-1]) == month:
            found[-1].append(month)
        else:
            found.append([month])
    return found


def _parts(month: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month)
    if match is None:
        raise ValueError(f"{month!r} is no month such as '2013-04'")
    return int(match[1]), int(match[2])

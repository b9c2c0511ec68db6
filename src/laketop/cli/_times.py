"""Points in time and spans of time as people type them."""

from __future__ import annotations

import argparse
import datetime as dt
import re

_UNIT_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_SPAN = re.compile(r"(?:\d+[wdhms])+")


def span(text: str) -> int:
    """Return the milliseconds of `90d`, `36h`, `1d12h`; for the parser, which reports others."""
    if not _SPAN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no span of time: a number and w, d, h, m or s, such as 90d or 1d12h"
        )
    return sum(int(n) * _UNIT_MS[unit] for n, unit in re.findall(r"(\d+)([wdhms])", text))


def when(text: str) -> int:
    """Return the epoch ms of an ISO date or time, UTC where it names no zone; for the parser."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 2026-03-08 or 2026-03-08T02:30:00+01:00"
        ) from error
    known = found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
    return int(known.timestamp() * 1000)


def end(text: str) -> int:
    """Return the epoch ms at which a time, or the whole day of a date, is over; for the parser."""
    is_date = len(text) == len("2026-03-08")
    return when(text) + (_UNIT_MS["d"] if is_date else 0)


def when_or_real(text: str) -> int | None:
    """Return the epoch ms of a time, None for the word `real`; for the parser."""
    return None if text == "real" else when(text)


def shown(at_ms: int) -> str:
    """Return a point in time as people read it, in UTC."""
    at = dt.datetime.fromtimestamp(at_ms // 1000, dt.UTC)
    return f"{at:%a %Y-%m-%d %H:%M:%S} UTC"

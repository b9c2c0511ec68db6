"""Quartz cron expressions: when a schedule fires, in any time zone, on days of 23 and 25 hours.

Source: Databricks docs, job triggers and Quartz's documented format: seconds, minutes, hours, day
of month, month, day of week, and perhaps year. One of the two days is `?`.
"""

from __future__ import annotations

import bisect
import calendar
import dataclasses
import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Final

from laketop.errors import ConfigError

AMBIGUOUS_FOLD: Final = 1
"""Which of the two hours of one name fires when clocks go back: Java's, the later; unverified."""
LAST_YEAR: Final = 2099
_FIRST_YEAR: Final = 1970
_MONTHS: Final = tuple("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split())  # noqa: SIM905
_DAYS: Final = tuple("SUN MON TUE WED THU FRI SAT".split())  # noqa: SIM905 - both read as a line
_FIELDS: Final = ("seconds", "minutes", "hours", "day of month", "month", "day of week", "year")
_LIMITS: Final = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (_FIRST_YEAR, LAST_YEAR))
_SATURDAY: Final = 7
_DAY_SECONDS: Final = 86_400
_ITEM: Final = re.compile(r"(?P<first>\*|[A-Z0-9]+)?(?:-(?P<last>[A-Z0-9]+))?(?:/(?P<step>\d+))?")

Days = Callable[[int, int], list[int]]
"""Returns the days of a month on which a schedule fires, ascending."""


@dataclasses.dataclass(frozen=True)
class Cron:
    """A parsed expression; `of` reads one."""

    text: str
    zone: zoneinfo.ZoneInfo
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    days: Days = dataclasses.field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str, zone: str) -> Cron:
        """Return the schedule that `text` stands for in the time zone with the id `zone`.

        Errors: ConfigError that names the field, for what Quartz does not take either.
        """
        fields = text.upper().split()
        if len(fields) not in {6, 7}:
            raise ConfigError(
                f"the cron expression {text!r} has {len(fields)} fields",
                hint="six or seven: seconds, minutes, hours, day of month, month, day of week,"
                " year; for example 0 0 6 * * ?",
            )
        if (fields[3] == "?") == (fields[5] == "?"):
            raise ConfigError(
                f"the cron expression {text!r} needs a ? in one of day of month and day of week",
                hint="the other one says which days, for example 0 0 6 ? * MON-FRI",
            )
        values = [_values(text, n, f) if n not in {3, 5} else () for n, f in enumerate(fields)]
        is_month_day = fields[5] == "?"
        days = _month_days(text, fields[3]) if is_month_day else _week_days(text, fields[5])
        years = values[6] if len(values) > 6 else tuple(range(_FIRST_YEAR, LAST_YEAR + 1))
        return cls(text, zone_of(zone), values[0], values[1], values[2], values[4], years, days)

    def next_after(self, after_ms: int) -> int | None:
        """Return the first time after `after_ms` that it fires, None for never again.

        Units: epoch ms. A time that the clock skips when daylight saving begins fires as much
        later; one that it shows twice when it ends fires once.
        """
        found = None
        for wall in self._walls(self._wall_before(after_ms)):
            if found is not None and wall >= found[1]:
                break
            at_ms = self._instant(wall)
            if at_ms <= after_ms or (found is not None and at_ms >= found[0]):
                continue
            # A wall time that does not exist lands on a later one; what is between comes first.
            found = (at_ms, self._wall(at_ms))
        return found[0] if found is not None else None

    def between(self, from_ms: int, to_ms: int) -> Iterator[int]:
        """Yield the times from `from_ms`, included, to `to_ms`, not included."""
        at_ms = self.next_after(from_ms - 1)
        while at_ms is not None and at_ms < to_ms:
            yield at_ms
            at_ms = self.next_after(at_ms)

    def _wall(self, at_ms: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(at_ms // 1000, self.zone).replace(tzinfo=None, fold=0)

    def _wall_before(self, at_ms: int) -> dt.datetime:
        # As far back as wall times go that may come after `at_ms` all the same: those that were
        # skipped a moment ago and land on later ones, and the first of two equal hours.
        local = dt.datetime.fromtimestamp(at_ms // 1000, self.zone)
        offsets = [local.replace(fold=fold).utcoffset() or dt.timedelta() for fold in (0, 1)]
        earlier = dt.datetime.fromtimestamp(at_ms // 1000 - _DAY_SECONDS, self.zone)
        skipped = offsets[local.fold] - (earlier.utcoffset() or dt.timedelta())
        return self._wall(at_ms) - max(offsets[0] - offsets[1], skipped, dt.timedelta())

    def _instant(self, wall: dt.datetime) -> int:
        first, second = (wall.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        is_twice = (first.utcoffset() or dt.timedelta()) > (second.utcoffset() or dt.timedelta())
        chosen = second if is_twice and AMBIGUOUS_FOLD else first
        return int(chosen.timestamp()) * 1000

    @functools.cached_property
    def _clock(self) -> list[tuple[int, int, int]]:
        return [(h, m, s) for h in self.hours for m in self.minutes for s in self.seconds]

    def _walls(self, start: dt.datetime) -> Iterator[dt.datetime]:
        for year in self.years[bisect.bisect_left(self.years, start.year) :]:
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in self.days(year, month):
                    if (year, month, day) < (start.year, start.month, start.day):
                        continue
                    is_first = (year, month, day) == (start.year, start.month, start.day)
                    now = (start.hour, start.minute, start.second)
                    left = self._clock[bisect.bisect_left(self._clock, now) if is_first else 0 :]
                    for hour, minute, second in left:
                        yield dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall time


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone with this id. Errors: ConfigError where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"the time zone {name!r} does not exist", hint="for example UTC or Europe/Berlin"
        ) from error


def _wrong(text: str, number: int, part: str) -> ConfigError:
    low, high = _LIMITS[number]
    return ConfigError(
        f"the cron expression {text!r} has {part!r} as {_FIELDS[number]}",
        hint=f"numbers there go from {low} to {high}",
    )


def _number(text: str, number: int, part: str) -> int:
    words = {4: _MONTHS, 5: _DAYS}.get(number, ())
    low, high = _LIMITS[number]
    value = words.index(part) + 1 if part in words else int(part) if part.isdecimal() else -1
    if not low <= value <= high:
        raise _wrong(text, number, part)
    return value


def _values(text: str, number: int, field: str) -> tuple[int, ...]:
    """Return the numbers that a field of lists, ranges and steps stands for."""
    low, high = _LIMITS[number]
    found: set[int] = set()
    for part in field.split(","):
        match = _ITEM.fullmatch(part)
        if not part or match is None or (match["first"] is None and match["step"] is None):
            raise _wrong(text, number, part)
        is_all = match["first"] in {"*", None}
        if is_all and match["last"]:
            raise _wrong(text, number, part)
        first = low if is_all else _number(text, number, match["first"])
        last = high if is_all or match["step"] else first
        last = _number(text, number, match["last"]) if match["last"] else last
        step = int(match["step"] or 1)
        if not 0 < step <= max(high, 1):
            raise _wrong(text, number, part)
        size = high - low + 1
        span = last - first if first <= last else last - first + size  # FRI-MON wraps around
        found.update((first - low + offset) % size + low for offset in range(0, span + 1, step))
    return tuple(sorted(found))


def _last_of(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _working(year: int, month: int, day: int) -> int:
    """Return the day from Monday to Friday that is nearest to `day`, within the month."""
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < _last_of(year, month) else day - 2
    return day


def _month_days(text: str, field: str) -> Days:
    from_end = re.fullmatch(r"L(?:-(\d{1,2}))?(W?)", field)
    nearest = re.fullmatch(r"(\d{1,2})W", field)
    if from_end:
        back = int(from_end[1] or 0)
        if back > 30:
            raise _wrong(text, 3, field)
        return functools.partial(_from_end, back=back, is_working=bool(from_end[2]))
    if nearest:
        return functools.partial(_nearest, wanted=_number(text, 3, nearest[1]))
    return functools.partial(_listed, wanted=_values(text, 3, field))


def _from_end(year: int, month: int, *, back: int, is_working: bool) -> list[int]:
    day = _last_of(year, month) - back
    if day < 1:
        return []
    return [_working(year, month, day) if is_working else day]


def _nearest(year: int, month: int, *, wanted: int) -> list[int]:
    return [_working(year, month, wanted)] if wanted <= _last_of(year, month) else []


def _listed(year: int, month: int, *, wanted: tuple[int, ...]) -> list[int]:
    last = _last_of(year, month)
    return [day for day in wanted if day <= last]


def _week_days(text: str, field: str) -> Days:
    last = re.fullmatch(r"([A-Z]{3}|\d)L", field)
    nth = re.fullmatch(r"([A-Z]{3}|\d)#([1-5])", field)
    if field == "L":
        return functools.partial(_on, wanted=(_SATURDAY,), which=None)
    if last:
        return functools.partial(_on, wanted=(_number(text, 5, last[1]),), which=-1)
    if nth:
        return functools.partial(_on, wanted=(_number(text, 5, nth[1]),), which=int(nth[2]) - 1)
    return functools.partial(_on, wanted=_values(text, 5, field), which=None)


def _on(year: int, month: int, *, wanted: tuple[int, ...], which: int | None) -> list[int]:
    first = (calendar.weekday(year, month, 1) + 1) % 7 + 1  # Quartz counts from Sunday = 1
    days = range(1, _last_of(year, month) + 1)
    found = [day for day in days if (first + day - 2) % 7 + 1 in wanted]
    if which is None:
        return found
    return found[which : which + 1 or None]

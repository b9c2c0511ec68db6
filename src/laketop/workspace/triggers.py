"""When a job is started by itself: triggers as pure functions of what was noticed, and when.

A trigger never changes; what happened to it is in its `Mark`, which every function returns anew.
Nothing here reads a clock, a file or a table.
Source: Databricks docs, job triggers. Units: epoch ms.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from laketop.bundle.cron import Cron

LEAST_CRON_GAP_MS: Final = 10_000
CONTINUOUS_GAP_MS: Final = 10_000
"""From the end of a continuous run to the next one, where the record says below 60 s."""
FIRST_BACK_OFF_MS: Final = 15_000
"""Unverified, as is the longest."""
LONGEST_BACK_OFF_MS: Final = 3_600_000
LONG_ENOUGH_MS: Final = 3_600_000
"""A continuous run that lasted so long starts the count of failures anew; unverified."""
CORRECTION_MS: Final = 3 * 3_600_000
"""A clock that is set back by so much was wrong; by less, what comes twice fires once, as where
daylight saving ends. Source: cron(8) of Debian."""
MOST_CHARACTERS: Final = 10_000
"""Of the value of a job parameter."""
UNIT_MS: Final = {
    "MINUTES": 60_000,
    "HOURS": 3_600_000,
    "DAYS": 86_400_000,
    "WEEKS": 604_800_000,
}
_GOOD: Final = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES", "CANCELED"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """What is known of one trigger so far."""

    since_ms: int
    """When it began to count: made, changed or unpaused."""
    fired_ms: int | None = None
    """For which time it fired last."""
    seen: Mapping[str, int] | None = None
    """What was there: files or updates of models, 0 each, or versions of tables; None = not looked
    yet."""
    changed_ms: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """What changed since it fired last, and when each change was noticed."""
    run_id: int | None = None
    """Of a continuous trigger: the run that it started and that has not ended."""
    failures: int = 0
    next_ms: int | None = None
    """Of a continuous trigger: when it starts the next run."""

    def written(self) -> dict[str, Any]:
        """Return the mark as JSON; `Mark(**json)` reads it."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """The run of a continuous trigger, ended."""

    result: str
    start_ms: int
    end_ms: int


@dataclasses.dataclass(frozen=True)
class OnSchedule:
    """Fires by a cron expression."""

    cron: Cron
    word: ClassVar[str] = "PERIODIC"

    def due_ms(self, mark: Mark) -> int | None:
        """Return when it fires next."""
        if mark.fired_ms is None:
            return self.cron.next_after(mark.since_ms)
        return self.cron.next_after(mark.fired_ms + LEAST_CRON_GAP_MS - 1)


@dataclasses.dataclass(frozen=True)
class Every:
    """Fires each time an interval has passed, the first time one interval after it was made."""

    interval_ms: int
    word: ClassVar[str] = "PERIODIC"

    def due_ms(self, mark: Mark) -> int:
        """Return when it fires next."""
        return (mark.since_ms if mark.fired_ms is None else mark.fired_ms) + self.interval_ms


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnArrival:
    """Fires for new files below a place."""

    url: str
    least_ms: int = 0
    """Between two firings."""
    wait_ms: int = 0
    """After the last change."""
    word: ClassVar[str] = "FILE_ARRIVAL"

    def due_ms(self, mark: Mark) -> int | None:
        """Return when it fires next, None as long as nothing has come."""
        return _settled(mark, self.least_ms, self.wait_ms) if mark.changed_ms else None

    def noticed(self, mark: Mark, seen: Mapping[str, int], now_ms: int) -> Mark:
        """Return the mark once these files are there; what is there first counts for nothing."""
        return _with_new(mark, seen, now_ms)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnModel:
    """Fires for models that are made, versions that are ready or aliases that are set."""

    scope: str
    """A model, a schema, or "" for every model."""
    condition: str
    aliases: tuple[str, ...] = ()
    least_ms: int = 0
    wait_ms: int = 0
    word: ClassVar[str] = "MODEL"

    def due_ms(self, mark: Mark) -> int | None:
        """Return when it fires next, None as long as nothing has come."""
        return _settled(mark, self.least_ms, self.wait_ms) if mark.changed_ms else None

    def noticed(self, mark: Mark, seen: Mapping[str, int], now_ms: int) -> Mark:
        """Return the mark once the registry holds these updates, each a JSON object."""
        return _with_new(mark, seen, now_ms)

    def batch(self, mark: Mark) -> list[str]:
        """Return the updates that one run is told: as many as a job parameter holds."""
        told: list[str] = []
        for update in mark.changed_ms:
            if told and len(", ".join([*told, update])) + len("[]") > MOST_CHARACTERS:
                break
            told.append(update)
        return told


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnUpdate:
    """Fires for commits to tables: to any of them, or once all have had one."""

    tables: tuple[str, ...]
    is_all: bool = False
    least_ms: int = 0
    wait_ms: int = 0
    word: ClassVar[str] = "TABLE"

    def due_ms(self, mark: Mark) -> int | None:
        """Return when it fires next, None as long as the tables have not changed so."""
        wanted = all if self.is_all else any
        if not wanted(table in mark.changed_ms for table in self.tables):
            return None
        return _settled(mark, self.least_ms, self.wait_ms)

    def noticed(self, mark: Mark, seen: Mapping[str, int], now_ms: int) -> Mark:
        """Return the mark once the tables have these versions; -1 = there is none."""
        before = mark.seen if mark.seen is not None else seen
        fresh = [name for name in self.tables if seen.get(name, -1) > before.get(name, -1)]
        changed = {**mark.changed_ms, **dict.fromkeys(fresh, now_ms)}
        return dataclasses.replace(mark, seen=dict(seen), changed_ms=changed)


@dataclasses.dataclass(frozen=True)
class Always:
    """Keeps one run going; waits longer and longer after failures."""

    word: ClassVar[str] = "CONTINUOUS"

    def due_ms(self, mark: Mark) -> int | None:
        """Return when it starts a run, None while one that it has started is going on."""
        if mark.run_id is not None:
            return None
        return mark.since_ms if mark.next_ms is None else mark.next_ms

    def ended(self, mark: Mark, run: Ended) -> Mark:
        """Return the mark once its run has ended."""
        if run.result in _GOOD:
            failures, wait_ms = 0, CONTINUOUS_GAP_MS
        else:
            was_long = run.end_ms - run.start_ms >= LONG_ENOUGH_MS
            failures = 1 if was_long else mark.failures + 1
            wait_ms = min(FIRST_BACK_OFF_MS << min(failures - 1, 20), LONGEST_BACK_OFF_MS)
        return dataclasses.replace(
            mark, run_id=None, failures=failures, next_ms=run.end_ms + wait_ms
        )


Trigger = OnSchedule | Every | OnArrival | OnModel | OnUpdate | Always


def fired(mark: Mark, at_ms: int, run_id: int, *, told: Collection[str] | None = None) -> Mark:
    """Return the mark once the trigger has fired for `at_ms` and made a run.

    `told` is what the run was told of what changed, None = all; the rest makes the next run.
    """
    left = {} if told is None else {k: ms for k, ms in mark.changed_ms.items() if k not in told}
    return dataclasses.replace(mark, fired_ms=at_ms, changed_ms=left, run_id=run_id)


def shifted(trigger: Trigger, mark: Mark, jump_ms: int) -> Mark:
    """Return the mark once the time of day has jumped, so that no wait becomes a longer one.

    A jump ahead may be a laptop that slept: what came due meanwhile is late, and only continuous
    jobs go on waiting. A schedule follows the time of day, but for hours that come twice.
    """
    if isinstance(trigger, Always):
        later = None if mark.next_ms is None else mark.next_ms + jump_ms
        return dataclasses.replace(mark, next_ms=later)
    least_ms = CORRECTION_MS if isinstance(trigger, OnSchedule) else 1
    if jump_ms > -least_ms:
        return mark
    return dataclasses.replace(
        mark,
        since_ms=mark.since_ms + jump_ms,
        fired_ms=None if mark.fired_ms is None else mark.fired_ms + jump_ms,
        changed_ms={name: at_ms + jump_ms for name, at_ms in mark.changed_ms.items()},
    )


def word_of(trigger: Trigger, mark: Mark) -> str:
    """Return the word of the run's `trigger`, `TriggerType` of the SDK."""
    is_again = isinstance(trigger, Always) and mark.failures > 0
    return "CONTINUOUS_RESTART" if is_again else trigger.word


def latest_due_ms(trigger: Trigger, mark: Mark, now_ms: int) -> int | None:
    """Return the last time up to `now_ms` at which it should have fired, None for none.

    What was missed while nobody could start it makes one run, for the last of the times: a
    schedule that was late runs at once when the service is there again.
    Source: Databricks' page on scheduled jobs; that several make one is laketop's choice.
    """
    due_ms = trigger.due_ms(mark)
    if due_ms is None or due_ms > now_ms:
        return None
    if isinstance(trigger, Every):
        return due_ms + (now_ms - due_ms) // trigger.interval_ms * trigger.interval_ms
    if not isinstance(trigger, OnSchedule):
        return due_ms
    # From a bit before now on, a bit that doubles: a schedule of years of seconds is not walked.
    back_ms = 60_000
    while now_ms - back_ms > due_ms:
        found = list(trigger.cron.between(now_ms - back_ms, now_ms + 1))
        if found:
            return found[-1]
        back_ms *= 2
    return list(trigger.cron.between(due_ms, now_ms + 1))[-1]


def _with_new(mark: Mark, seen: Mapping[str, int], now_ms: int) -> Mark:
    before = mark.seen if mark.seen is not None else seen
    fresh = [name for name in seen if name not in before]
    changed = {**mark.changed_ms, **dict.fromkeys(fresh, now_ms)}
    return dataclasses.replace(mark, seen=dict(seen), changed_ms=changed)


def _settled(mark: Mark, least_ms: int, wait_ms: int) -> int:
    last_change = max(mark.changed_ms.values())
    earliest = last_change + wait_ms
    return earliest if mark.fired_ms is None else max(earliest, mark.fired_ms + least_ms)

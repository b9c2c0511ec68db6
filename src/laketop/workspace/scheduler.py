"""Watches the triggers of a workspace's jobs and starts their runs, each in one transaction."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from databricks.sdk.errors.base import DatabricksError

from laketop.runner.paths import Places
from laketop.runner.references import moment
from laketop.runner.steady_clock import LEAST_JUMP_MS, SteadyClock
from laketop.workspace import model_events, watching
from laketop.workspace.clock import MovableClock
from laketop.workspace.store import Store
from laketop.workspace.trigger_settings import triggers_of
from laketop.workspace.triggers import (
    Always,
    Ended,
    Mark,
    OnArrival,
    OnModel,
    OnUpdate,
    Trigger,
    fired,
    latest_due_ms,
    shifted,
    word_of,
)

CHECK_SECONDS: Final = 60.0
"""How often files, tables and models are looked at."""
_RUN_CHECK_SECONDS: Final = 1.0
_LONGEST_SLEEP_SECONDS: Final = 30.0
"""A laptop that slept finds out so soon."""

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS job_triggers (
        job_id INTEGER NOT NULL,
        settings TEXT NOT NULL,
        mark TEXT NOT NULL,
        PRIMARY KEY (job_id, settings)
    ) WITHOUT ROWID""",
)

log = logging.getLogger("laketop.workspace")

Key = tuple[int, str]
"""A job and the text that tells its triggers apart."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Firing:
    """One firing of a trigger, from which a run is made."""

    word: str
    at_ms: int
    facts: Mapping[str, Any]
    """What `{{job.trigger.…}}` says beyond type and time, as JSON."""
    is_continuous: bool

    @property
    def scope(self) -> dict[str, Any]:
        """The facts as a run keeps them."""
        return {"trigger": dict(self.facts)}


class Scheduler:
    """The triggers of all jobs, and when they fire.

    `models` is the registry's file. `start` makes the run of a firing and `end_of` tells how a run
    has ended, both inside a transaction; `keep_clock` writes down, in the transaction of each
    firing, what time it is. `skip_late` ends the runs that have queued for too long.
    """

    def __init__(
        self,
        store: Store,
        places: Places,
        clock: MovableClock,
        *,
        models: Path,
        start: Callable[[int, Firing], int],
        end_of: Callable[[int], Ended | None],
        keep_clock: Callable[[], None],
        skip_late: Callable[[], None],
    ) -> None:
        self._store = store
        self._places = places
        self._models = models
        self.clock = clock
        self._steady = SteadyClock(clock, clock.steady_ms)
        self._ahead_ms = 0
        self._start = start
        self._end_of = end_of
        self._keep_clock = keep_clock
        self._skip_late = skip_late
        self._guard = threading.Lock()
        self._watched: dict[Key, tuple[Trigger, Mark]] = {}
        self._news = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.turn = threading.Lock()
        """Held by whoever lets triggers fire: the thread that follows the clock, or a replay."""

    # --- which triggers there are ---

    def follow(self, job_id: int, settings: Mapping[str, Any]) -> None:
        """Take the triggers of a job as they are from now on, inside a transaction.

        One that did not change goes on counting. Errors: those of `triggers_of`.
        """
        wanted = dict(triggers_of(settings))
        for text in set(self._rows(job_id)) - set(wanted):
            self._store.execute(
                "DELETE FROM job_triggers WHERE job_id = ? AND settings = ?", (job_id, text)
            )
        kept = self._rows(job_id)
        fresh: dict[Key, tuple[Trigger, Mark]] = {}
        for text, trigger in wanted.items():
            mark = Mark(**json.loads(kept[text])) if text in kept else self._first(trigger)
            fresh[job_id, text] = (trigger, mark)
            if text not in kept:
                self._store.execute(
                    "INSERT INTO job_triggers (job_id, settings, mark) VALUES (?, ?, ?)",
                    (job_id, text, json.dumps(mark.written())),
                )
        self._store.after_commit(lambda: self._replace(job_id, fresh))

    def load(self, jobs: Mapping[int, Mapping[str, Any]]) -> None:
        """Take up what an earlier process wrote down, of these jobs and their settings.

        Inside a transaction. What came or changed meanwhile is noticed at the next look.
        """
        for job_id, settings in jobs.items():
            try:
                self.follow(job_id, settings)
            except DatabricksError as error:
                log.warning("the triggers of job %s do not fire: %s", job_id, error)

    def restart(self) -> None:
        """Let every trigger count from now on, inside a transaction: the clock went back."""
        for key, (trigger, _) in self._all():
            self._keep(key, self._first(trigger))

    def _rows(self, job_id: int) -> dict[str, str]:
        return dict(
            self._store.execute(
                "SELECT settings, mark FROM job_triggers WHERE job_id = ?", (job_id,)
            )
        )

    def _first(self, trigger: Trigger) -> Mark:
        now_ms = self.clock()
        return self._looked(trigger, Mark(since_ms=now_ms), now_ms)

    def _replace(self, job_id: int, fresh: dict[Key, tuple[Trigger, Mark]]) -> None:
        with self._guard:
            old = [key for key in self._watched if key[0] == job_id]
            for key in old:
                del self._watched[key]
            self._watched.update(fresh)
        self._news.set()

    def _all(self) -> list[tuple[Key, tuple[Trigger, Mark]]]:
        with self._guard:
            return sorted(self._watched.items(), key=lambda item: item[0])

    def mark_of(self, job_id: int, text: str) -> Mark | None:
        """Return what is known of a trigger of a job, None where it does not count."""
        with self._guard:
            found = self._watched.get((job_id, text))
        return None if found is None else found[1]

    # --- when they fire ---

    def coming(self) -> Iterator[tuple[int, int, str]]:
        """Yield when each trigger fires next, its job, and the word of its runs."""
        found = [(t.due_ms(mark), job_id, t.word) for (job_id, _), (t, mark) in self._all()]
        for due_ms, job_id, word in sorted((d or 0, j, w) for d, j, w in found if d is not None):
            yield max(due_ms, 0), job_id, word

    def due_ms(self) -> int | None:
        """Return when the next trigger fires, None if none will by itself."""
        return next((due_ms for due_ms, _, _ in self.coming()), None)

    @property
    def keeps_a_run(self) -> bool:
        """Whether a run of a continuous job is going on, after whose end another one starts."""
        return any(
            isinstance(trigger, Always) and mark.run_id is not None
            for _, (trigger, mark) in self._all()
        )

    def look(self, now_ms: int) -> None:
        """Look at files, tables, models, queues and the runs of continuous jobs.

        What changed is noted, and runs that have queued for too long end. Where the time of day
        has jumped since the last look, triggers go on waiting by `shifted`.
        """
        self._skip_late()
        ahead_ms = self._steady.ahead_ms()
        jump_ms = ahead_ms - self._ahead_ms
        if abs(jump_ms) < 2 * LEAST_JUMP_MS:  # a drift about the least is no jump each time
            jump_ms = 0
        self._ahead_ms += jump_ms
        for key, (trigger, mark) in self._all():
            seen = shifted(trigger, mark, jump_ms)
            if isinstance(trigger, OnArrival | OnModel | OnUpdate):
                seen = self._looked(trigger, seen, now_ms)
            elif isinstance(trigger, Always) and mark.run_id is not None:
                with self._store.transaction(write=False):
                    end = self._end_of(mark.run_id)
                seen = mark if end is None else trigger.ended(mark, end)
            if seen != mark:
                with self._store.transaction(write=True):
                    self._keep(key, seen)

    def fire(self, now_ms: int, *, is_late_once: bool) -> list[int]:
        """Start the runs of every trigger that is due by `now_ms`, in order; return their ids.

        With `is_late_once` what a trigger missed makes one run, else one for each time.
        """
        made: list[int] = []
        while not self._closed.is_set():
            due = [
                (due_ms, key)
                for key, (trigger, mark) in self._all()
                if (due_ms := trigger.due_ms(mark)) is not None and due_ms <= now_ms
            ]
            if not due:
                break
            at_ms, key = min(due)
            run_id = self._fire(key, at_ms, now_ms if is_late_once else at_ms)
            made += [] if run_id is None else [run_id]
        return made

    def _fire(self, key: Key, at_ms: int, until_ms: int) -> int | None:
        with self._store.transaction(write=True):
            if key[1] not in self._rows(key[0]):  # it was changed or deleted this moment
                with self._guard:
                    self._watched.pop(key, None)
                return None
            trigger, mark = self._watched[key]
            at_ms = latest_due_ms(trigger, mark, until_ms) or at_ms
            firing = Firing(
                word=word_of(trigger, mark),
                at_ms=at_ms,
                facts=self._facts(trigger, mark),
                is_continuous=isinstance(trigger, Always),
            )
            self._keep_clock()
            try:
                run_id = self._start(key[0], firing)
            except DatabricksError as error:
                log.warning("job %s was to run and does not: %s", key[0], error)
                self._keep(key, _failed(trigger, mark, at_ms, self.clock()))
                return None
            told = trigger.batch(mark) if isinstance(trigger, OnModel) else None
            self._keep(key, fired(mark, at_ms, run_id, told=told))
        return run_id

    def _keep(self, key: Key, mark: Mark) -> None:
        self._store.execute(
            "UPDATE job_triggers SET mark = ? WHERE job_id = ? AND settings = ?",
            (json.dumps(mark.written()), *key),
        )

        def remember() -> None:
            with self._guard:
                if key in self._watched:
                    self._watched[key] = (self._watched[key][0], mark)

        self._store.after_commit(remember)

    def _looked(self, trigger: Trigger, mark: Mark, now_ms: int) -> Mark:
        if isinstance(trigger, OnArrival):
            seen = watching.files_below(self._places, trigger.url)
            return trigger.noticed(mark, seen, now_ms)
        if isinstance(trigger, OnModel):
            asked = trigger.scope, trigger.condition, trigger.aliases
            return trigger.noticed(mark, model_events.seen(self._models, *asked), now_ms)
        if isinstance(trigger, OnUpdate):
            return trigger.noticed(mark, watching.versions(self._places, trigger.tables), now_ms)
        return mark

    def _facts(self, trigger: Trigger, mark: Mark) -> dict[str, Any]:
        if isinstance(trigger, OnArrival):
            return {"file_arrival": {"location": trigger.url}}
        if isinstance(trigger, OnModel):
            return {"model": {"updates": [json.loads(told) for told in trigger.batch(mark)]}}
        if not isinstance(trigger, OnUpdate):
            return {}
        updated = [name for name in trigger.tables if name in mark.changed_ms]
        tables: dict[str, Any] = {"updated_tables": updated}
        for name in updated:
            version = (mark.seen or {}).get(name, -1)
            committed = moment(watching.commit_ms(self._places, name, version))
            about = {"version": version, "commit_timestamp": dict(committed)}
            tables[name] = about  # for a name in backticks
            catalog, schema, table = name.split(".")
            tables.setdefault(catalog, {}).setdefault(schema, {})[table] = about
        return {"table_update": tables}

    # --- following the clock ---

    def begin(self) -> None:
        """Let triggers fire from now on, in a thread of their own."""
        self._thread = threading.Thread(target=self._follow_clock, name="laketop-triggers")
        self._thread.daemon = True
        self._thread.start()

    def wake(self) -> None:
        """Look at the clock: it was moved."""
        self._news.set()

    def close(self) -> None:
        """Let nothing fire any more."""
        self._closed.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()

    def _follow_clock(self) -> None:
        while not self._closed.is_set():
            try:
                with self.turn:
                    now_ms = self.clock()
                    self.look(now_ms)
                    self.fire(now_ms, is_late_once=True)
                    seconds = self._sleep_seconds()
            except Exception:
                log.exception("a trigger could not fire; it is tried again")
                seconds = _RUN_CHECK_SECONDS
            self._news.wait(seconds)
            self._news.clear()

    def _sleep_seconds(self) -> float:
        kinds = [type(trigger) for _, (trigger, _) in self._all()]
        is_looking = not {OnArrival, OnModel, OnUpdate}.isdisjoint(kinds)
        longest = CHECK_SECONDS if is_looking else _LONGEST_SLEEP_SECONDS
        longest = _RUN_CHECK_SECONDS if Always in kinds else longest
        due_ms = self.due_ms()
        if due_ms is None:
            return longest
        return min(max(due_ms - self.clock(), 0) / 1000, longest)


def _failed(trigger: Trigger, mark: Mark, at_ms: int, now_ms: int) -> Mark:
    if isinstance(trigger, Always):
        return trigger.ended(mark, Ended(result="FAILED", start_ms=now_ms, end_ms=now_ms))
    return dataclasses.replace(mark, fired_ms=at_ms, changed_ms={})

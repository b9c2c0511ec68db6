"""The records of jobs' runs: what was asked for, how each stands, which attempts it had."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from laketop.runner.states import FINAL
from laketop.workspace.store import Store

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS runs (
        run_id INTEGER PRIMARY KEY,
        job_id INTEGER NOT NULL,
        creator TEXT NOT NULL,
        run_type TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        is_active INTEGER NOT NULL,
        is_queued INTEGER NOT NULL,
        more TEXT NOT NULL,
        snapshot TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS runs_of_a_job ON runs (job_id, run_id)",
    "CREATE INDEX IF NOT EXISTS active_runs ON runs (is_active) WHERE is_active",
    """CREATE TABLE IF NOT EXISTS task_runs (
        task_run_id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE
    )""",
    """CREATE TABLE IF NOT EXISTS attempts (
        task_run_id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS attempts_of_a_run ON attempts (run_id)",
    """CREATE TABLE IF NOT EXISTS run_tokens (
        token TEXT PRIMARY KEY,
        run_id INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS last_id (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id INTEGER NOT NULL
    )""",
)
_ORDER = "task_order"
"""In what is kept of a snapshot: the attempts in their order, each kept by itself."""
MADE_MS = "made_ms"
"""In `RunRecord.more`: when the run was made, by the machine's time."""
_SELECT = "SELECT run_id, job_id, creator, run_type, more, snapshot FROM runs"


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """One run as it was last told."""

    run_id: int
    job_id: int
    creator: str
    run_type: str
    more: Mapping[str, Any]
    """What was known at its start: `chain`, the jobs above it; `trigger_info`, if any; of a run
    without a job its `settings`; of a repaired one `repair_id`, `repair_start_ms`, `history`;
    `made_ms`, by the machine's time."""
    snapshot: Mapping[str, Any]
    """The run as the runner's `JobRun.snapshot` tells it."""

    @property
    def life_cycle(self) -> str:
        """The word of `state.life_cycle_state`."""
        return str(self.snapshot["state"]["life_cycle_state"])

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self.life_cycle in FINAL

    @property
    def tasks(self) -> Sequence[Mapping[str, Any]]:
        """The attempts of the run's tasks."""
        return tuple(self.snapshot["tasks"])

    @property
    def attempts(self) -> Iterator[Mapping[str, Any]]:
        """The attempts of the run's tasks and of the iterations in them."""
        return _attempts(self.snapshot)

    def task(self, task_run_id: int) -> Mapping[str, Any] | None:
        """Return the attempt with this id."""
        return next((one for one in self.attempts if one["run_id"] == task_run_id), None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs a list shows; None = all."""

    job_id: int | None = None
    run_type: str | None = None
    is_active: bool | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before: int | None = None
    """Only runs with smaller ids than this."""

    def condition(self) -> tuple[str, list[Any]]:
        """Return the SQL condition and its values."""
        wanted = {
            "job_id = ?": self.job_id,
            "run_type = ?": self.run_type,
            "is_active = ?": self.is_active,
            "start_ms >= ?": self.from_ms,
            "start_ms <= ?": self.to_ms,
            "run_id < ?": self.before,
        }
        given = {text: value for text, value in wanted.items() if value is not None}
        return " AND ".join(given) or "1", list(given.values())


class RunRecords:
    """Reads and writes the records of runs; every method but `new_id` is inside a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._ids: itertools.count[int] | None = None
        self._last = 0
        self._written: dict[int, dict[int, Mapping[str, Any]]] = {}

    def new_id(self) -> int:
        """Return an id that no job, run or attempt ever had; it lasts once `keep_ids` is called."""
        with self._guard:
            if self._ids is None:
                raise RuntimeError("the ids were not loaded")
            self._last = next(self._ids)
            return self._last

    def load_ids(self, first: int = 1) -> None:
        """Go on counting where the last process stopped, `first` where none has begun."""
        rows = self._store.execute("SELECT id FROM last_id")
        with self._guard:
            self._ids = itertools.count(rows[0][0] + 1 if rows else first)

    def keep_ids(self) -> None:
        """Write down which ids are taken."""
        with self._guard:
            last = self._last
        self._store.execute(
            "INSERT INTO last_id (one, id) VALUES (1, ?)"
            " ON CONFLICT (one) DO UPDATE SET id = max(id, excluded.id)",
            (last,),
        )

    def insert(self, record: RunRecord) -> None:
        """Keep a new run."""
        self._store.execute(
            "INSERT INTO runs"
            " (run_id, job_id, creator, run_type, more, snapshot, start_ms, is_active, is_queued)"
            " VALUES (?, ?, ?, ?, ?, '{}', 0, 1, 0)",
            (record.run_id, record.job_id, record.creator, record.run_type, _json(record.more)),
        )
        self.update(record.run_id, record.snapshot)

    def update(self, run_id: int, snapshot: Mapping[str, Any]) -> None:
        """Keep how a run stands now.

        Only the attempts that are other objects than those of the last time are written: a job of
        a thousand tasks would else write a thousand for each that changes.
        """
        word = snapshot["state"]["life_cycle_state"]
        attempts = {task["run_id"]: task for task in snapshot["tasks"]}
        whole = {name: value for name, value in snapshot.items() if name != "tasks"}
        self._store.execute(
            "UPDATE runs SET snapshot = ?, start_ms = ?, is_active = ?, is_queued = ?"
            " WHERE run_id = ?",
            (
                _json({**whole, _ORDER: list(attempts)}),
                snapshot["start_time"],
                word not in FINAL,
                word == "QUEUED",
                run_id,
            ),
        )
        before = self._written.get(run_id, {})
        changed = [task for key, task in attempts.items() if before.get(key) is not task]
        for task in changed:
            self._write(run_id, task)
        self.keep_ids()
        self._store.after_commit(lambda: self._remember(run_id, attempts, is_final=word in FINAL))

    def _write(self, run_id: int, task: Mapping[str, Any]) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO attempts (task_run_id, run_id, body) VALUES (?, ?, ?)",
            (task["run_id"], run_id, _json(task)),
        )
        for one in (task, *task.get("iterations", ())):
            self._store.execute(
                "INSERT OR IGNORE INTO task_runs (task_run_id, run_id) VALUES (?, ?)",
                (one["run_id"], run_id),
            )

    def _remember(
        self, run_id: int, attempts: dict[int, Mapping[str, Any]], *, is_final: bool
    ) -> None:
        if is_final:
            self._written.pop(run_id, None)
        else:
            self._written[run_id] = attempts

    def go_on(self, run_id: int, more: Mapping[str, Any], snapshot: Mapping[str, Any]) -> None:
        """Keep that a run that had ended goes on."""
        self._store.execute("UPDATE runs SET more = ? WHERE run_id = ?", (_json(more), run_id))
        self.update(run_id, snapshot)

    def get(self, run_id: int) -> RunRecord | None:
        """Return a run by its own id."""
        rows = self._store.execute(f"{_SELECT} WHERE run_id = ?", (run_id,))
        return self._record(rows[0]) if rows else None

    def of_task_run(self, task_run_id: int) -> RunRecord | None:
        """Return the run that an attempt belongs to."""
        rows = self._store.execute(
            "SELECT run_id FROM task_runs WHERE task_run_id = ?", (task_run_id,)
        )
        return self.get(rows[0][0]) if rows else None

    def newest(self, wanted: RunFilter, *, limit: int, offset: int = 0) -> list[RunRecord]:
        """Return the newest runs that the filter lets through."""
        condition, values = wanted.condition()
        rows = self._store.execute(
            f"{_SELECT} WHERE {condition} ORDER BY run_id DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [self._record(row) for row in rows]

    def _record(self, row: tuple[Any, ...]) -> RunRecord:
        run_id, job_id, creator, run_type, more, text = row
        snapshot = json.loads(text)
        order = snapshot.pop(_ORDER, None)
        if order is not None:  # what an older laketop wrote holds its tasks itself
            rows = self._store.execute(
                "SELECT task_run_id, body FROM attempts WHERE run_id = ?", (run_id,)
            )
            bodies = dict(rows)
            snapshot["tasks"] = [json.loads(bodies[key]) for key in order]
        return RunRecord(run_id, job_id, creator, run_type, json.loads(more), snapshot)

    def drop(self, task_run_ids: Iterable[int]) -> None:
        """Forget attempts that never began."""
        for task_run_id in task_run_ids:
            self._store.execute("DELETE FROM attempts WHERE task_run_id = ?", (task_run_id,))
            self._store.execute("DELETE FROM task_runs WHERE task_run_id = ?", (task_run_id,))

    def made_before(self, at_ms: int) -> list[int]:
        """Return the runs that have ended and were made before a time of the machine's."""
        rows = self._store.execute(
            "SELECT run_id FROM runs WHERE NOT is_active AND json_extract(more, ?) < ?",
            (f"$.{MADE_MS}", at_ms),
        )
        return [run_id for (run_id,) in rows]

    def delete(self, run_id: int) -> None:
        """Forget a run and its attempts; its idempotency token stays taken."""
        self._store.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))

    def active(self) -> list[int]:
        """Return every run that is not final, queued ones too."""
        rows = self._store.execute("SELECT run_id FROM runs WHERE is_active ORDER BY run_id")
        return [run_id for (run_id,) in rows]

    def count_active(self, job_id: int) -> int:
        """Return how many runs of a job are active and not queued."""
        rows = self._store.execute(
            "SELECT count(*) FROM runs WHERE job_id = ? AND is_active AND NOT is_queued", (job_id,)
        )
        return int(rows[0][0])

    def queued(self, job_id: int) -> list[int]:
        """Return the queued runs of a job, the oldest first."""
        rows = self._store.execute(
            "SELECT run_id FROM runs WHERE job_id = ? AND is_queued ORDER BY run_id", (job_id,)
        )
        return [run_id for (run_id,) in rows]

    def run_of_token(self, token: str) -> int | None:
        """Return the run that was made for an idempotency token."""
        rows = self._store.execute("SELECT run_id FROM run_tokens WHERE token = ?", (token,))
        return int(rows[0][0]) if rows else None

    def keep_token(self, token: str, run_id: int) -> None:
        """Note the run that was made for an idempotency token."""
        self._store.execute("INSERT INTO run_tokens (token, run_id) VALUES (?, ?)", (token, run_id))


def _attempts(snapshot: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for task in snapshot["tasks"]:
        yield task
        yield from task.get("iterations", ())


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)

"""Records of runs: attempts are written when they change, and read back in their order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from laketop.workspace import run_records
from laketop.workspace.run_records import RunRecord, RunRecords
from laketop.workspace.store import Store

STATE = {"life_cycle_state": "RUNNING"}


class Counting(Store):
    """A store that counts the attempts that are written."""

    attempts = 0

    def execute(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Run the statement, and count it if it writes an attempt."""
        self.attempts += "INTO attempts" in statement
        return super().execute(statement, values)


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    """Return a store with the tables of runs."""
    store = Counting(tmp_path / "laketop.db")
    with store.transaction(write=True):
        for statement in run_records.SCHEMA:
            store.execute(statement)
    return store


def snapshot(*tasks: dict[str, Any]) -> dict[str, Any]:
    """Return a run that is active, with these attempts."""
    return {"state": STATE, "start_time": 5, "tasks": list(tasks)}


def test_only_attempts_that_changed_are_written_and_all_are_read_in_order(store: Counting) -> None:
    records = RunRecords(store)
    a, b = {"run_id": 11, "task_key": "a"}, {"run_id": 12, "task_key": "b"}
    with store.transaction(write=True):
        records.load_ids()
        records.insert(RunRecord(1, 7, "me", "JOB_RUN", {}, snapshot(a, b)))
    assert store.attempts == 2
    changed, retry = {**b, "word": "new"}, {"run_id": 13, "task_key": "a"}
    with store.transaction(write=True):
        records.update(1, snapshot(a, retry, changed))
    assert store.attempts == 4
    with store.transaction(write=False):
        record = records.get(1)
        assert record is not None
        assert list(record.tasks) == [a, retry, changed]
        assert records.of_task_run(13) == record
    store.close()


def test_what_was_rolled_back_is_written_again(store: Counting) -> None:
    records = RunRecords(store)
    a = {"run_id": 11, "task_key": "a"}
    with store.transaction(write=True):
        records.load_ids()
        records.insert(RunRecord(1, 7, "me", "JOB_RUN", {}, snapshot()))

    def fail() -> None:
        with store.transaction(write=True):
            records.update(1, snapshot(a))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.transaction(write=True):
        records.update(1, snapshot(a))
    with store.transaction(write=False):
        record = records.get(1)
    assert record is not None
    assert list(record.tasks) == [a]
    store.close()


def test_runs_that_an_older_laketop_wrote_are_read(store: Counting) -> None:
    old = snapshot({"run_id": 11, "task_key": "a"})
    with store.transaction(write=True):
        store.execute(
            "INSERT INTO runs"
            " (run_id, job_id, creator, run_type, more, snapshot, start_ms, is_active, is_queued)"
            " VALUES (1, 7, 'me', 'JOB_RUN', '{}', ?, 5, 1, 0)",
            (json.dumps(old),),
        )
        record = RunRecords(store).get(1)
    assert record is not None
    assert record.snapshot == old
    store.close()

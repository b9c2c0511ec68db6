"""The records: transactions, tables, what a commit is worth."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laketop.workspace.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "records.db")
    yield store
    store.close()


def test_what_was_committed_is_read_by_another_store(store: Store) -> None:
    with store.transaction(write=True):
        store.table("a")["key"] = {"n": 1}
    other = Store(store.file)
    with other.transaction(write=False):
        assert dict(other.table("a")) == {"key": {"n": 1}}
    other.close()


def test_an_error_rolls_everything_back(store: Store) -> None:
    with contextlib.suppress(KeyError), store.transaction(write=True):
        store.table("a")["key"] = 1
        del store.table("a")["other"]
    with store.transaction(write=False):
        assert "key" not in store.table("a")


def test_a_reading_transaction_cannot_write(store: Store) -> None:
    readonly = pytest.raises(sqlite3.OperationalError, match="readonly")
    with readonly, store.transaction(write=False):
        store.table("a")["key"] = 1


def test_work_outside_of_a_transaction_is_refused(store: Store) -> None:
    with pytest.raises(RuntimeError, match="no transaction"):
        store.execute("SELECT 1")
    with pytest.raises(RuntimeError, match="no transaction"):
        store.after_commit(lambda: None)
    twice = pytest.raises(RuntimeError, match="open already")
    with twice, store.transaction(write=False), store.transaction(write=False):
        pass


def test_hooks_run_after_the_commit_and_not_after_a_rollback(store: Store) -> None:
    told: list[str] = []
    with store.transaction(write=True):
        store.after_commit(lambda: told.append("committed"))
        assert told == []
    assert told == ["committed"]
    with contextlib.suppress(KeyError), store.transaction(write=True):
        store.after_commit(lambda: told.append("never"))
        raise KeyError
    assert told == ["committed"]


def test_writers_of_many_threads_lose_nothing(store: Store) -> None:
    def count() -> None:
        for _ in range(25):
            with store.transaction(write=True):
                table = store.table("a")
                table["n"] = table.get("n", 0) + 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.transaction(write=False):
        assert store.table("a")["n"] == 100


def test_every_commit_is_flushed(store: Store) -> None:
    with store.transaction(write=False):
        assert store.execute("PRAGMA synchronous") == [(2,)]
        assert store.execute("PRAGMA journal_mode") == [("wal",)]


def test_a_closed_store_is_refused_by_name(store: Store) -> None:
    store.close()
    with pytest.raises(RuntimeError, match=r"records\.db"), store.transaction(write=False):
        pass


_KEYS = st.text(max_size=4)
_STEPS = st.lists(st.tuples(st.sampled_from(["put", "delete"]), _KEYS, st.integers()))


@given(steps=_STEPS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_table_is_a_mapping_sorted_by_key(store: Store, steps: Any) -> None:
    with store.transaction(write=True):
        table = store.table("t")
        table.clear()
        model: dict[str, int] = {}
        for step, key, value in steps:
            if step == "put":
                table[key] = model[key] = value
            else:
                assert table.pop(key, None) == model.pop(key, None)
        assert dict(table) == model
        assert list(table) == sorted(model, key=lambda key: key.encode())
        assert len(table) == len(model)

"""Rows that wait for their append: in batches that stay the same until they are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from laketop.workspace import audit
from laketop.workspace.store import Store
from laketop.workspace.waiting_rows import WaitingRows

NAME = "system.access.audit"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "laketop.db")
    with store.transaction(write=True):
        for statement in audit.SCHEMA:
            store.execute(statement)
    yield store
    store.close()


def test_a_batch_stays_the_same_until_it_was_appended(store: Store) -> None:
    waiting = WaitingRows(store, most_rows=10)
    waiting.add(NAME, {"n": 1})
    first = waiting.batch(NAME)
    waiting.add(NAME, {"n": 2})
    again = WaitingRows(store, most_rows=10)
    assert again.batch(NAME) == first == (first[0], [{"n": 1}])
    again.forget(NAME, first[0])
    assert again.batch(NAME) == (first[0] + 1, [{"n": 2}])


def test_a_batch_ends_with_its_rows_or_with_the_row_that_reaches_its_bytes(store: Store) -> None:
    rows = [{"n": number} for number in range(1, 6)]  # of eight bytes each
    for row in rows:
        WaitingRows(store, most_rows=10).add(NAME, row)
    assert WaitingRows(store, most_rows=10, most_bytes=9).batch(NAME)[1] == rows[:2]
    WaitingRows(store, most_rows=10).forget(NAME, 2)
    assert WaitingRows(store, most_rows=2).batch(NAME)[1] == rows[2:4]
    assert WaitingRows(store, most_rows=2).names() == [NAME]


def test_of_many_rows_the_newest_are_kept(store: Store) -> None:
    waiting = WaitingRows(store, most_rows=10)
    for number in range(4):
        waiting.add(NAME, {"n": number})
    waiting.keep_newest(NAME, 9)
    waiting.keep_newest(NAME, 2)
    assert [row["n"] for row in waiting.batch(NAME)[1]] == [2, 3]

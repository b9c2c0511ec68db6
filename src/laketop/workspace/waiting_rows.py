"""Rows that wait in the workspace's records until the engine has appended them to their table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from laketop.workspace.store import Store

_EVERY_ROW = 2**62
_BATCHES = "system batches"


class WaitingRows:
    """The rows of `system_rows`, in the order in which they were noted, by what they are for.

    A batch stays the same until it is forgotten, so that an append which is tried again carries
    the same number, by which Delta knows it: no row is lost, none comes twice.
    Source: Delta's idempotent writes (`txnAppId`, `txnVersion`).
    """

    def __init__(self, store: Store, *, most_rows: int, most_bytes: int = _EVERY_ROW) -> None:
        """Make batches of `most_rows` at most, which end once they reach `most_bytes`."""
        self._store = store
        self._most_rows = most_rows
        self._most_bytes = most_bytes

    def names(self) -> list[str]:
        """Return what rows wait for."""
        with self._store.reading():
            rows = self._store.execute("SELECT DISTINCT name FROM system_rows")
        return [name for (name,) in rows]

    def add(self, name: str, row: Mapping[str, Any]) -> None:
        """Let a row wait, in the transaction that is open or one of its own."""
        body = json.dumps(row, default=str)
        with self._store.writing():
            self._store.execute("INSERT INTO system_rows (name, body) VALUES (?, ?)", (name, body))

    def batch(self, name: str) -> tuple[int, list[dict[str, Any]]]:
        """Return the rows to append now, and the number of the last one.

        Until `forget` is called they stay the same, also for another process: rows that come
        meanwhile wait, or an append that is tried again would not be known as such.
        """
        with self._store.transaction(write=True):
            begun = self._store.table(_BATCHES)
            first = (name, begun.get(name, _EVERY_ROW), self._most_rows)
            rows = self._store.execute(
                "SELECT id, body FROM (SELECT id, body, sum(length(body)) OVER (ORDER BY id)"
                " - length(body) AS before FROM (SELECT id, body FROM system_rows WHERE name = ?"
                " AND id <= ? ORDER BY id LIMIT ?)) WHERE before < ? ORDER BY id",
                (*first, self._most_bytes),
            )
            last = rows[-1][0] if rows else 0
            if rows:
                begun[name] = last
        return last, [json.loads(body) for _, body in rows]

    def forget(self, name: str, last: int) -> None:
        """Forget the rows up to that number."""
        with self._store.transaction(write=True):
            self._store.execute("DELETE FROM system_rows WHERE name = ? AND id <= ?", (name, last))
            self._store.table(_BATCHES).pop(name, None)

    def keep_newest(self, name: str, most: int) -> None:
        """Forget the oldest rows where more than `most` wait: nobody knows for how long."""
        with self._store.transaction(write=True):
            self._store.execute(
                "DELETE FROM system_rows WHERE name = ? AND id <= (SELECT id FROM system_rows"
                " WHERE name = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (name, name, most),
            )

"""The workspace's records: one SQLite file, in which what was committed stays."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

_BUSY_SECONDS = 30

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (collection, key)
) WITHOUT ROWID
"""


class Store:
    """One SQLite file in WAL mode; every commit is flushed to the disk before it returns.

    A thread works on the store inside `with store.transaction(...)`; tables and statements then
    act in that transaction. Writers of this process take turns in a lock, writers of other
    processes in SQLite's own.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._writing = threading.Lock()
        self._guard = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._thread = threading.local()
        with self.transaction(write=True):
            self.execute(_SCHEMA)

    @contextlib.contextmanager
    def transaction(self, *, write: bool, flush: bool = True) -> Iterator[None]:
        """Run the block as one transaction: committed at its end, rolled back on an error.

        Without `flush` a loss of power, but no end of the process, may undo it: for what nobody
        was promised, such as how far a run is.
        Errors: RuntimeError for a transaction inside a transaction; sqlite3.OperationalError
        for a write in a transaction that only reads.
        """
        if self._current() is not None:
            raise RuntimeError("a transaction is open already in this thread")
        hooks: list[Callable[[], None]] = []
        with self._writing if write else contextlib.nullcontext():
            connection = self._take()
            self._thread.connection, self._thread.hooks = connection, hooks
            try:
                connection.execute(f"PRAGMA query_only = {int(not write)}")
                if write:
                    connection.execute(f"PRAGMA synchronous = {'FULL' if flush else 'NORMAL'}")
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._thread.connection, self._thread.hooks = None, None
                self._give_back(connection)
        for hook in hooks:
            hook()

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Run the block in the transaction that is open in this thread, else in one that reads."""
        return self._joined(write=False)

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Run the block in the transaction that is open in this thread, else in one that writes."""
        return self._joined(write=True)

    @contextlib.contextmanager
    def _joined(self, *, write: bool) -> Iterator[None]:
        if self._current() is not None:
            yield
            return
        with self.transaction(write=write):
            yield

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Call `hook` once the current transaction is committed, and not at all if it is not."""
        if self._current() is None:
            raise RuntimeError("no transaction is open in this thread")
        self._thread.hooks.append(hook)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one statement, run in the current transaction."""
        return self._connection().execute(statement, values).fetchall()

    def insert(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one INSERT in the current transaction and return the new row's id."""
        return int(self._connection().execute(statement, values).lastrowid or 0)

    def table(self, collection: str) -> Table:
        """Return the named collection of JSON records, keyed by text."""
        return Table(self, collection)

    def close(self) -> None:
        """Close every connection; a transaction that is open goes on and closes its own."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _current(self) -> sqlite3.Connection | None:
        return getattr(self._thread, "connection", None)

    def _connection(self) -> sqlite3.Connection:
        connection = self._current()
        if connection is None:
            raise RuntimeError("no transaction is open in this thread")
        return connection

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise RuntimeError(f"the store {self.file.name!r} is closed")
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(
            self.file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


class Shared:
    """Reads another store than that of the transaction in hand, each time as it is just then."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one statement that only reads."""
        with self._store.reading():
            return self._store.execute(statement, values)


class Table(MutableMapping[str, Any]):
    """A collection of JSON records as a mapping, sorted by key."""

    def __init__(self, store: Store, collection: str) -> None:
        self._store = store
        self._collection = collection

    def __getitem__(self, key: str) -> Any:
        rows = self._store.execute(
            "SELECT body FROM records WHERE collection = ? AND key = ?", (self._collection, key)
        )
        if not rows:
            raise KeyError(key)
        return json.loads(rows[0][0])

    def __setitem__(self, key: str, value: Any) -> None:
        self._store.execute(
            "INSERT OR REPLACE INTO records (collection, key, body) VALUES (?, ?, ?)",
            (self._collection, key, json.dumps(value, separators=(",", ":"), allow_nan=False)),
        )

    def __delitem__(self, key: str) -> None:
        rows = self._store.execute(
            "DELETE FROM records WHERE collection = ? AND key = ? RETURNING key",
            (self._collection, key),
        )
        if not rows:
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        rows = self._store.execute(
            "SELECT key FROM records WHERE collection = ? ORDER BY key", (self._collection,)
        )
        return iter([key for (key,) in rows])

    def __len__(self) -> int:
        rows = self._store.execute(
            "SELECT count(*) FROM records WHERE collection = ?", (self._collection,)
        )
        return int(rows[0][0])

    def __contains__(self, key: object) -> bool:
        rows = self._store.execute(
            "SELECT 1 FROM records WHERE collection = ? AND key = ?", (self._collection, key)
        )
        return bool(rows)

"""Online tables: the newest row of every key of a feature table, in one SQLite file.

The workspace writes, each change in one transaction; scorers read meanwhile, and see a table as it
was before a change or after it.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from laketop.errors import LaketopError
from laketop.workspace.store import Store

INTEGERS = frozenset({"tinyint", "smallint", "int", "bigint"})
KEY_TYPES = INTEGERS | {"string", "boolean"}

_TABLES = """
CREATE TABLE IF NOT EXISTS tables (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    about TEXT NOT NULL
)
"""
_ROWS = """
CREATE TABLE IF NOT EXISTS rows (
    table_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (table_id, key)
) WITHOUT ROWID
"""
_KEEP = """
INSERT INTO rows (table_id, key, body) VALUES (?, ?, ?)
ON CONFLICT (table_id, key) DO UPDATE SET body = excluded.body
"""

Row = tuple[tuple[Any, ...], str | None]
"""The values of a key, and the row as a JSON object; None for a key that is gone."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of an online table.

    Shapes: `keys` are pairs of name and type, the time of the feature table left out; `version`
    of the source, whose Delta id is `source_id`, is what the rows were copied from; `publisher`
    is who published it first, and empty where that was not kept.
    """

    name: str
    store: str
    source: str
    mode: str
    keys: tuple[tuple[str, str], ...]
    source_id: str
    version: int
    synced_ms: int
    publisher: str = ""

    @classmethod
    def of(cls, text: str) -> About:
        """Return what was kept as JSON."""
        body = json.loads(text)
        return cls(**body | {"keys": tuple(tuple(pair) for pair in body["keys"])})


class OnlineTables:
    """All online tables of a workspace, for the one process that writes them."""

    def __init__(self, file: Path) -> None:
        self._store = Store(file)
        with self._store.transaction(write=True):
            self._store.execute(_TABLES)
            self._store.execute(_ROWS)

    def all(self) -> list[About]:
        """Return every online table, the oldest first."""
        with self._store.transaction(write=False):
            rows = self._store.execute("SELECT about FROM tables ORDER BY id")
        return [About.of(text) for (text,) in rows]

    def get(self, name: str) -> About | None:
        """Return what is known of an online table, None where there is none."""
        with self._store.transaction(write=False):
            rows = self._store.execute("SELECT about FROM tables WHERE name = ?", (name,))
        return About.of(rows[0][0]) if rows else None

    def write(self, about: About, rows: Iterable[Row], *, whole: bool) -> None:
        """Put `rows` in the table, which is made where there is none; all of them or none.

        With `whole` they are all that is in it afterwards, else those not named stay.
        """
        with self._store.transaction(write=True):
            self._store.execute(
                "INSERT INTO tables (name, source, about) VALUES (?, ?, ?) ON CONFLICT (name)"
                " DO UPDATE SET source = excluded.source, about = excluded.about",
                (about.name, about.source, json.dumps(asdict(about))),
            )
            (number,) = self._store.execute("SELECT id FROM tables WHERE name = ?", (about.name,))[
                0
            ]
            if whole:
                self._store.execute("DELETE FROM rows WHERE table_id = ?", (number,))
            for values, body in rows:
                key = _text(values)
                if body is None:
                    self._store.execute(
                        "DELETE FROM rows WHERE table_id = ? AND key = ?", (number, key)
                    )
                else:
                    self._store.execute(_KEEP, (number, key, body))

    def drop(self, name: str) -> None:
        """Drop an online table with its rows; nothing happens where there is none."""
        with self._store.transaction(write=True):
            self._store.execute(
                "DELETE FROM rows WHERE table_id IN (SELECT id FROM tables WHERE name = ?)", (name,)
            )
            self._store.execute("DELETE FROM tables WHERE name = ?", (name,))

    def close(self) -> None:
        """Close the file."""
        self._store.close()


class NotPublished(LaketopError):
    """No online table holds the rows of a feature table."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"the feature table {source!r} is in no online store",
            hint="publish it with publish_table, or send its features",
        )


class OnlineReader:
    """Looks rows up by key, in the file that the workspace writes; for any thread."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only = 1")

    def find(self, source: str, keys: Sequence[tuple[Any, ...]]) -> list[Mapping[str, Any] | None]:
        """Return the newest row of each key of the feature table `source`, None for no row.

        Of several online tables of one source the oldest answers. A key that holds None finds
        nothing. All rows are of one moment.
        Errors: NotPublished; ValueError for a key of another type.
        """
        with self._lock, self._moment():
            number, about = self._table(source)
            return [self._row(number, about, key) for key in keys]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextlib.contextmanager
    def _moment(self) -> Any:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def _table(self, source: str) -> tuple[int, About]:
        found = self._connection.execute(
            "SELECT id, about FROM tables WHERE source = ? ORDER BY id LIMIT 1", (source.lower(),)
        ).fetchone()
        if found is None:
            raise NotPublished(source)
        return found[0], About.of(found[1])

    def _row(self, number: int, about: About, key: tuple[Any, ...]) -> Mapping[str, Any] | None:
        if None in key:
            return None
        values = tuple(
            _typed(value, name, kind, about.source)
            for value, (name, kind) in zip(key, about.keys, strict=True)
        )
        found = self._connection.execute(
            "SELECT body FROM rows WHERE table_id = ? AND key = ?", (number, _text(values))
        ).fetchone()
        if found is None:
            return None
        row: Mapping[str, Any] = json.loads(found[0])
        return row


def _typed(value: Any, name: str, kind: str, source: str) -> Any:
    if kind in INTEGERS and isinstance(value, float) and value.is_integer():
        return int(value)  # what pandas makes of whole numbers beside a null
    wanted = {"string": str, "boolean": bool}.get(kind, int)
    if isinstance(value, wanted) and isinstance(value, bool) == (kind == "boolean"):
        return value
    raise ValueError(f"the key {name!r} of {source!r} is {kind}, not {value!r}")


def _text(values: Sequence[Any]) -> str:
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))

"""The history of SQL statements: each is a record from its start, kept for 30 days.

Source: databricks-sdk, `sql.QueryHistoryAPI`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from databricks.sdk.service.sql import QueryStatementType

from laketop.workspace.clock import Clock
from laketop.workspace.store import Store
from laketop.workspace.system_tables import QUERY_HISTORY, query_row

if TYPE_CHECKING:
    from laketop.workspace.statements import Statement

KEPT_MS = 30 * 24 * 3_600_000
"""How long a statement is listed; its row in `system.query.history` stays for longer."""
SCHEMA = (
    """CREATE TABLE IF NOT EXISTS statements (
        id TEXT PRIMARY KEY,
        start_ms INTEGER NOT NULL,
        user TEXT NOT NULL,
        warehouse_id TEXT NOT NULL,
        status TEXT NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS statements_by_start ON statements (start_ms, id)",
    "CREATE INDEX IF NOT EXISTS statements_by_end ON statements (json_extract(body, '$.end_ms'))",
    "CREATE INDEX IF NOT EXISTS open_statements ON statements (status) WHERE status = 'RUNNING'",
)
_WORDS = {"SUCCEEDED": "FINISHED", "FAILED": "FAILED", "CANCELED": "CANCELED"}
_TYPES = {one.value for one in QueryStatementType}
_SYNONYMS = {"DESC": "DESCRIBE", "VALUES": "SELECT", "TABLE": "SELECT", "FROM": "SELECT"}
_LEAD = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*([A-Za-z]*)", re.DOTALL)
_WRITES = re.compile(r"\b(INSERT|MERGE|UPDATE|DELETE)\b", re.IGNORECASE)
_CUT_OFF = "The workspace ended while the statement ran."

log = logging.getLogger("laketop.workspace")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which statements are asked for; an empty field chooses all."""

    users: Sequence[str] | None = None
    warehouse_ids: Sequence[str] = ()
    statuses: Sequence[str] = ()
    statement_ids: Sequence[str] = ()
    from_ms: int | None = None
    until_ms: int | None = None


class QueryLog:
    """Writes statements down as they begin and end.

    A statement that was answered is in the log whatever kills the workspace; a loss of power may
    take the last moments.
    """

    def __init__(self, store: Store, *, now_ms: Clock, workspace_id: str) -> None:
        self._store = store
        self._now_ms = now_ms
        self._workspace_id = workspace_id

    def settle(self) -> None:
        """End the statements that an earlier process left running."""
        with self._store.transaction(write=True):
            rows = self._store.execute("SELECT body FROM statements WHERE status = 'RUNNING'")
            for (body,) in rows:
                told = json.loads(body)
                end = max(self._now_ms(), told["start_ms"])
                self._keep({**told, "status": "FAILED", "error_message": _CUT_OFF, "end_ms": end})

    def note(self, statement: Statement) -> None:
        """Write down how a statement stands; what goes wrong here does not concern it."""
        try:
            with self._store.transaction(write=True, flush=False):
                self._keep(_told(statement))
        except Exception as error:  # noqa: BLE001 - the statement goes on
            log.warning("a statement is missing in the query history: %s", type(error).__name__)

    def _keep(self, told: Mapping[str, Any]) -> None:
        known = self._store.execute("SELECT status FROM statements WHERE id = ?", (told["id"],))
        if known and known[0][0] != "RUNNING":
            return  # it has ended, whoever comes late
        values = [told[name] for name in ("id", "start_ms", "user", "warehouse_id", "status")]
        self._store.execute(
            "INSERT OR REPLACE INTO statements (id, start_ms, user, warehouse_id, status, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*values, json.dumps(told)),
        )
        if told["status"] != "RUNNING":
            row = query_row(told, self._workspace_id)
            self._store.execute(
                "INSERT INTO system_rows (name, body) VALUES (?, ?)",
                (QUERY_HISTORY, json.dumps(row, default=str)),
            )
            oldest = self._now_ms() - KEPT_MS
            self._store.execute("DELETE FROM statements WHERE start_ms < ?", (oldest,))

    def ran(self, since_ms: int, until_ms: int) -> dict[str, list[tuple[int, int]]]:
        """Return by warehouse when its statements ran, of the time between two moments.

        Inside a transaction. Those that still run count to `until_ms`.
        """
        rows = self._store.execute(
            "SELECT warehouse_id, start_ms, json_extract(body, '$.end_ms') FROM statements"
            " WHERE status = 'RUNNING' OR json_extract(body, '$.end_ms') > ?",
            (since_ms,),
        )
        found: dict[str, list[tuple[int, int]]] = {}
        for warehouse, start, end in rows:
            last = until_ms if end is None else min(end, until_ms)
            found.setdefault(warehouse, []).append((max(start, since_ms), last))
        return found

    def page(
        self, asked: Filter, *, size: int, after: tuple[int, str] | None
    ) -> list[dict[str, Any]]:
        """Return at most `size` statements, those that began last first.

        `after` is start and id of a statement: only those that come later in that order.
        """
        where, values = _where(asked)
        where.append("start_ms >= ?")
        values.append(self._now_ms() - KEPT_MS)
        if after is not None:
            where.append("(start_ms, id) < (?, ?)")
            values += after
        rows = self._store.execute(
            f"SELECT body FROM statements WHERE {' AND '.join(where)}"  # noqa: S608 - our own words
            " ORDER BY start_ms DESC, id DESC LIMIT ?",
            (*values, size),
        )
        return [json.loads(body) for (body,) in rows]


def _where(asked: Filter) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    if asked.users is not None:
        where.append(f"user IN ({_marks(asked.users)})")
        values += asked.users
    for column, chosen in (
        ("warehouse_id", asked.warehouse_ids),
        ("status", asked.statuses),
        ("id", asked.statement_ids),
    ):
        if chosen:
            where.append(f"{column} IN ({_marks(chosen)})")
            values += chosen
    for comparison, limit in (("start_ms >= ?", asked.from_ms), ("start_ms <= ?", asked.until_ms)):
        if limit is not None:
            where.append(comparison)
            values.append(limit)
    return where, values


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" for _ in values)


def _told(statement: Statement) -> dict[str, Any]:
    order = statement.order
    told: dict[str, Any] = {
        "id": statement.id,
        "user": order.user,
        "warehouse_id": order.warehouse_id,
        "text": order.text,
        "type": statement_type(order.text),
        "agent": order.agent,
        "status": _WORDS.get(statement.state, "RUNNING"),
        "start_ms": statement.start_ms,
    }
    if told["status"] == "RUNNING":
        return told
    opened_ms = statement.opened_ms or statement.end_ms
    return told | {
        "end_ms": statement.end_ms,
        "waited_ms": max(opened_ms - statement.start_ms, 0),
        "execution_ms": max(statement.end_ms - opened_ms, 0),
        "rows": sum(chunk["row_count"] for chunk in statement.chunks),
        "bytes": sum(chunk["byte_count"] for chunk in statement.chunks),
        "error_message": (statement.error or {}).get("message"),
    }


def statement_type(text: str) -> str:
    """Return the word of `QueryStatementType` for a statement, by its first word."""
    match = _LEAD.match(text)
    word = match.group(1).upper() if match else ""
    if word == "WITH":
        found = _WRITES.search(text)
        return found.group(1).upper() if found else "SELECT"
    word = _SYNONYMS.get(word, word)
    return word if word in _TYPES else "OTHER"

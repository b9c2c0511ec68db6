"""Lineage: what statements read and wrote, from the engine's journal to rows and edges.

Source: Databricks docs, lineage system tables; Unity Catalog API.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laketop.workspace.clock import Clock
from laketop.workspace.store import Store
from laketop.workspace.system_tables import ACCOUNT, COLUMN_LINEAGE, KEPT_MS, TABLE_LINEAGE

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS lineage (
        source TEXT NOT NULL,
        source_type TEXT NOT NULL,
        target TEXT NOT NULL,
        target_type TEXT NOT NULL,
        job_id TEXT NOT NULL,
        last_ms INTEGER NOT NULL,
        PRIMARY KEY (source, target, job_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS lineage_by_target ON lineage (target)",
    """CREATE TABLE IF NOT EXISTS column_lineage (
        source TEXT NOT NULL,
        source_column TEXT NOT NULL,
        target TEXT NOT NULL,
        target_column TEXT NOT NULL,
        source_type TEXT NOT NULL,
        target_type TEXT NOT NULL,
        last_ms INTEGER NOT NULL,
        PRIMARY KEY (source, source_column, target, target_column)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS column_lineage_by_target ON column_lineage (target)",
)
"""What is known of each edge: the rows of the system tables are each of its events."""
_JOURNAL = "_lineage"

log = logging.getLogger("laketop.workspace")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """On whose behalf a session spoke: a run of a job, or a statement of a workspace."""

    job_id: str | None = None
    job_run_id: str | None = None
    statement_id: str | None = None
    workspace_id: str | None = None

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Caller:
        """Return what the session said of itself, which may be nothing."""
        kind, *ids = str(event.get("caller") or "").split(":")
        if kind == "JOB" and len(ids) >= 2 and ids[0].isdecimal():
            return cls(job_id=ids[0], job_run_id=ids[1])
        if kind == "SQL" and len(ids) == 2:
            return cls(statement_id=ids[0], workspace_id=ids[1])
        return cls()


class Intake:
    """Takes the engine's journal in: each line once, in the transaction that makes its rows.

    `metastore_id` is of all of them, `workspace_of` tells the workspace of a job by its id. Edges
    of which nothing was heard for a year are forgotten.
    """

    def __init__(
        self,
        store: Store,
        catalog: Path,
        *,
        metastore_id: str,
        workspace_of: Callable[[int], str],
        now_ms: Clock,
        most_bytes: int = 8 << 20,
    ) -> None:
        self._store = store
        self._folder = catalog / _JOURNAL
        self._metastore_id = metastore_id
        self._workspace_of = workspace_of
        self._now_ms = now_ms
        self._most_bytes = most_bytes

    def take(self) -> None:
        """Take in what the engine has written; not inside a transaction."""
        files = sorted(self._folder.glob("*.jsonl")) if self._folder.is_dir() else []
        for file in files:
            while self._take(file):
                pass
            if file != files[-1]:  # the engine writes to the last one alone
                file.unlink(missing_ok=True)

    def _take(self, file: Path) -> bool:
        """Take in a part of a file; return whether there was one."""
        with self._store.transaction(write=True):
            begun = self._store.table("lineage journal")
            at = begun.get(file.name, 0)
            try:
                with file.open("rb") as journal:
                    journal.seek(at)
                    part = journal.read(self._most_bytes)
            except FileNotFoundError:
                return False  # somebody else has taken it in
            whole = part[: part.rfind(b"\n") + 1]
            if len(part) == self._most_bytes and not whole:
                whole = part  # of a line that is too long, which is left out
            for line in whole.splitlines():
                self._note(line)
            for old in [name for name in begun if name < file.name]:
                del begun[old]
            if whole:
                begun[file.name] = at + len(whole)
                self._forget_old()
        return bool(whole)

    def _forget_old(self) -> None:
        oldest = self._now_ms() - KEPT_MS
        for table in ("lineage", "column_lineage"):
            self._store.execute(f"DELETE FROM {table} WHERE last_ms < ?", (oldest,))  # noqa: S608 - our own words

    def _note(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            caller = Caller.of(event)
            whole = {
                **event,
                "metastore_id": self._metastore_id,
                "workspace_id": caller.workspace_id or self._workspace_of(int(caller.job_id or 0)),
            }
            rows = [*table_rows(whole), *column_rows(whole)]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("a line of the lineage journal is left out: %s", type(error).__name__)
            return
        for name, row in rows:
            self._store.execute(
                "INSERT INTO system_rows (name, body) VALUES (?, ?)",
                (name, json.dumps(row, default=str)),
            )
        self._edges(event)

    def _edges(self, event: Mapping[str, Any]) -> None:
        job_id = Caller.of(event).job_id or ""
        target = event["target"] or {}
        to = (_name(target), target.get("type") or "")
        for source in event["sources"]:
            self._store.execute(
                "INSERT OR REPLACE INTO lineage"
                " (source, source_type, target, target_type, job_id, last_ms)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (_name(source), source["type"], *to, job_id, event["time"]),
            )
        for number, column, into in event["columns"] if target else ():
            source = event["sources"][number]
            self._store.execute(
                "INSERT OR REPLACE INTO column_lineage (source, source_column, target,"
                " target_column, source_type, target_type, last_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_name(source), column, to[0], into, source["type"], to[1], event["time"]),
            )
        if not event["sources"]:
            self._store.execute(
                "INSERT OR REPLACE INTO lineage"
                " (source, source_type, target, target_type, job_id, last_ms)"
                " VALUES ('', '', ?, ?, ?, ?)",
                (*to, job_id, event["time"]),
            )


def table_rows(event: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield table and row for each source of an event, or one for a write without any."""
    shared = _shared(event)
    target = _end("target", event["target"])
    for source in event["sources"] or (None,):
        ends = {**_end("source", source), **target}
        yield TABLE_LINEAGE, {**shared, **ends, "record_id": str(uuid.uuid4())}


def column_rows(event: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield table and row for each column that was read, and where it went."""
    shared = _shared(event)
    target = _end("target", event["target"])
    for number, column, into in event["columns"]:
        yield (
            COLUMN_LINEAGE,
            {
                **shared,
                **_end("source", event["sources"][number]),
                **target,
                "source_column_name": column,
                "target_column_name": into,
                "record_id": str(uuid.uuid4()),
            },
        )


def _shared(event: Mapping[str, Any]) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(event["time"] / 1000, dt.UTC)
    caller = Caller.of(event)
    job = {"job_id": caller.job_id, "job_run_id": caller.job_run_id}
    return {
        "account_id": ACCOUNT,
        "metastore_id": event["metastore_id"],
        "workspace_id": event["workspace_id"],
        "entity_type": "JOB" if caller.job_id else None,
        "entity_id": caller.job_id,
        "entity_run_id": caller.job_run_id,
        "created_by": event["user"],
        "event_time": at,
        "event_date": at.date(),
        "event_id": event["operation"],
        "statement_id": caller.statement_id,
        "entity_metadata": {"job_info": job} if caller.job_id else None,
    }


def _end(side: str, place: Mapping[str, Any] | None) -> dict[str, Any]:
    told = place or {}
    name = told.get("name")
    catalog, schema, table = name.split(".", 2) if name else (None, None, None)
    return {
        f"{side}_table_full_name": name,
        f"{side}_table_catalog": catalog,
        f"{side}_table_schema": schema,
        f"{side}_table_name": table,
        f"{side}_path": told.get("path"),
        f"{side}_type": told.get("type"),
    }


def _name(place: Mapping[str, Any]) -> str:
    return str(place.get("name") or place.get("path") or "")

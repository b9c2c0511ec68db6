"""Brings what the workspace has noted into the Delta tables of the `system` catalog."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from laketop.engine.connect import RemoteEngine
from laketop.workspace import system_tables
from laketop.workspace.audit import AUDIT
from laketop.workspace.billing import (
    LIST_PRICES,
    USAGE,
    Account,
    change_prices,
    price_rows,
    usage_rows,
)
from laketop.workspace.metering import Meters
from laketop.workspace.system_tables import TABLES
from laketop.workspace.waiting_rows import WaitingRows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from laketop.workspace.store import Store
    from laketop.workspace.workspace import Workspace

PAUSE_SECONDS = 30.0
_MOST_ROWS = 10_000
_DAY_MS = 24 * 3_600_000
_MADE = "made"
_UNSEEN = """SELECT run_id FROM runs LEFT JOIN exported_runs USING (run_id)
    WHERE NOT is_active AND end_ms IS NOT json_extract(snapshot, '$.end_time') ORDER BY run_id"""
"""Runs that have ended, for the first time or once more, since they were looked at last."""

log = logging.getLogger("laketop.workspace")


class SystemExport:
    """Appends rows by the engine, once it is warm, off the path of every request.

    A row waits in the workspace's records until its append is committed. An append is marked with
    the number of its last row, by which Delta knows one that is tried again: none is lost, none
    comes twice. Source: Delta's idempotent writes (`txnAppId`, `txnVersion`).
    """

    def __init__(self, workspace: Workspace, remote: Callable[[], str | None]) -> None:
        self._workspace = workspace
        self._remote = remote
        self._meters = Meters(workspace)
        self.waiting = WaitingRows(workspace.store, most_rows=_MOST_ROWS)
        self._one = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Export from now on, every half minute that has something to export."""
        self._meters.begin()
        self._thread = threading.Thread(target=self._run, name="laketop-system", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Export no more; what waits is exported the next time."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001 - the rows wait for the next time
                log.warning("system tables wait: %s", type(error).__name__)

    def flush(self, *, whole: bool = False) -> int:
        """Export what there is, and return how many rows that were; 0 where the engine is cold.

        The usage of warehouses and endpoints is told by the hour, or until now where `whole`.
        """
        with self._one:
            self._collect(whole=whole)
            prices = self._new_prices()
            missing = self._missing()
            is_needed = self._waiting() or missing or prices is not None
            remote = self._remote() if is_needed else None
            if remote is None:
                return 0
            session = RemoteEngine(remote).session()
            try:
                if missing:
                    self._make(session, missing)
                if prices is not None:
                    self._tell_prices(session, prices)
                return self._append_all(session)
            finally:
                session.stop()

    def hand_over(self, store: Store) -> None:
        """Leave what waits to another store, which exports it: this one is about to be deleted."""
        with self._one:
            self._collect(whole=True)
            own = self._workspace.store
            with own.reading():
                rows = own.execute("SELECT name, body FROM system_rows ORDER BY id")
            with store.writing():
                for row in rows:
                    store.execute("INSERT INTO system_rows (name, body) VALUES (?, ?)", row)

    def _collect(self, *, whole: bool) -> None:
        """Note what became of jobs and runs since the last time, in one transaction."""
        store, workspace = self._workspace.store, self._workspace
        now, workspace_id = workspace.now_ms(), workspace.workspace_id
        self._workspace.lineage_tracking.intake.take()
        with store.transaction(write=True):
            self._collect_pipelines(now)
            change_prices(store.table("system list prices"), workspace.settings.dbu_prices, now)
            told = store.table("system jobs")
            jobs = workspace.jobs.all_jobs()
            self._collect_tasks(jobs, now)
            for job_id, job in jobs.items():
                if told.get(str(job_id), {}).get("digest") != system_tables.digest(job):
                    self.waiting.add(*system_tables.job_row(job, workspace_id, now_ms=now))
                    told[str(job_id)] = {"digest": system_tables.digest(job), "job": job}
            for gone in [name for name in told if int(name) not in jobs]:
                last = told[gone]["job"]
                self.waiting.add(
                    *system_tables.job_row(last, workspace_id, now_ms=now, is_deleted=True)
                )
                del told[gone]
            self._collect_runs(whole=whole)

    def _collect_runs(self, *, whole: bool) -> None:
        workspace = self._workspace
        account = Account(
            account_id=system_tables.ACCOUNT,
            workspace_id=self._workspace_id,
            settings=workspace.settings,
        )
        for run in workspace.jobs.ended_runs(_UNSEEN):
            for name, row in system_tables.run_rows(run, self._workspace_id):
                self.waiting.add(name, row)
            for row in usage_rows(run, account):
                self.waiting.add(USAGE, row)
            workspace.store.execute(
                "INSERT OR REPLACE INTO exported_runs (run_id, end_ms) VALUES (?, ?)",
                (run["run_id"], run["end_time"]),
            )
        for row in self._meters.read(account, whole=whole):
            self.waiting.add(USAGE, row)

    def _collect_tasks(self, jobs: Mapping[int, Mapping[str, Any]], now_ms: int) -> None:
        told = self._workspace.store.table("system job tasks")
        tasks = {str(job_id): system_tables.tasks_of(job) for job_id, job in jobs.items()}
        for job_id in sorted({*told, *tasks}):
            before, after = told.get(job_id, {}), tasks.get(job_id, {})
            for row in system_tables.task_rows(
                job_id, before, after, workspace_id=self._workspace_id, now_ms=now_ms
            ):
                self.waiting.add(*row)
            if job_id not in tasks:
                del told[job_id]
            elif before != after:
                told[job_id] = after

    def _collect_pipelines(self, now_ms: int) -> None:
        told, workspace_id = self._workspace.store.table("system pipelines"), self._workspace_id
        known = {one["pipeline_id"]: one for one in self._workspace.pipelines.every()}
        for id_, pipeline in known.items():
            row = system_tables.pipeline_row(pipeline, workspace_id, now_ms=now_ms)
            if told.get(id_) != pipeline:
                self.waiting.add(*row)
                told[id_] = pipeline
        for id_ in [one for one in told if one not in known]:
            self.waiting.add(
                *system_tables.pipeline_row(told[id_], workspace_id, now_ms=now_ms, is_deleted=True)
            )
            del told[id_]

    def _missing(self) -> list[str]:
        """Return the tables that were not made yet: each can be asked before it has a row."""
        store = self._workspace.store
        if self._workspace.first is not self._workspace:
            return []  # one catalog for all workspaces
        with store.reading():
            made = store.table("system tables told").get(_MADE, [])
        return [name for name in TABLES if name not in made]

    def _make(self, session: SparkSession, names: list[str]) -> None:
        for name in names:
            _ensure(session, name)
        store = self._workspace.store
        with store.transaction(write=True):
            store.table("system tables told")[_MADE] = [*TABLES]

    def _new_prices(self) -> list[dict[str, Any]] | None:
        """Return all prices there were, where the table does not tell them yet."""
        store = self._workspace.store
        if self._workspace.first is not self._workspace:
            return None  # one table for all workspaces, whose settings are the same
        with store.reading():
            rows = price_rows(store.table("system list prices"), system_tables.ACCOUNT)
            told = store.table("system tables told").get(LIST_PRICES, "[]")
        return None if json.dumps(rows, default=str) == told else rows

    def _tell_prices(self, session: SparkSession, rows: list[dict[str, Any]]) -> None:
        """Write the table of prices anew: few rows, of which some end."""
        session.conf.set("spark.sql.session.timeZone", "UTC")
        _ensure(session, LIST_PRICES)
        _frame(session, LIST_PRICES, rows).write.format("delta").mode("overwrite").saveAsTable(
            LIST_PRICES
        )
        store = self._workspace.store
        with store.transaction(write=True):
            store.table("system tables told")[LIST_PRICES] = json.dumps(rows, default=str)

    @property
    def _workspace_id(self) -> str:
        return self._workspace.workspace_id

    def _waiting(self) -> list[str]:
        return [name for name in self.waiting.names() if name in TABLES]

    def _append_all(self, session: SparkSession) -> int:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        return sum(self._append(session, name) for name in self._waiting())

    def _append(self, session: SparkSession, name: str) -> int:
        last, bodies = self.waiting.batch(name)
        if bodies:
            _ensure(session, name)
            app = f"laketop-{self._workspace.workspace_id}"
            _send(session, name, bodies, app=app, version=last)
            self.waiting.forget(name, last)
            expiry = self.expiry(name)
            if expiry is not None and session.sql(expiry).collect()[0][0]:
                session.sql(f"VACUUM {name}")  # the files of what was ended a week ago and longer
        return len(bodies)

    def expiry(self, name: str) -> str | None:
        """Return the statement that ends rows which are too old, None if it was asked for today."""
        now_ms, store = self._workspace.now_ms(), self._workspace.store
        statement = system_tables.expiry(name, now_ms)
        if statement is None:
            return None
        with store.transaction(write=True):
            asked = store.table("system expiries")
            today = now_ms // _DAY_MS
            if asked.get(name) == today:
                return None
            asked[name] = today
        return statement


def _send(
    session: SparkSession,
    name: str,
    bodies: list[dict[str, Any]],
    *,
    app: str,
    version: int,
) -> None:
    rows = [system_tables.audit_row(body) for body in bodies] if name == AUDIT else bodies
    writer = _frame(session, name, rows).write.format("delta").mode("append")
    # Columns that came to a table later than it was made.
    writer = writer.option("mergeSchema", "true")
    writer.option("txnAppId", app).option("txnVersion", version).saveAsTable(name)


def _frame(session: SparkSession, name: str, rows: list[dict[str, Any]]) -> DataFrame:
    texts = [(json.dumps(row, default=str),) for row in rows]
    frame = session.createDataFrame(texts, "body STRING").selectExpr(
        f"from_json(body, '{' '.join(TABLES[name].split())}') AS row"
    )
    return frame.select("row.*")


def _ensure(session: SparkSession, name: str) -> None:
    catalog, schema, _ = name.split(".")
    session.sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
    session.sql(f"CREATE TABLE IF NOT EXISTS {name} ({TABLES[name]})")

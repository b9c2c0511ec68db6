"""Brings into tables of users what endpoints have answered, and who has approved a model."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import ResourceAlreadyExists

from laketop.engine.connect import RemoteEngine
from laketop.ml import promotion_log, tables
from laketop.workspace.delta_log import metadata_of
from laketop.workspace.inference_tables import COLUMNS, DAYS, Exchange, InferenceTable, row_of
from laketop.workspace.lake import Lake
from laketop.workspace.securables import Securables
from laketop.workspace.waiting_rows import WaitingRows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from laketop.workspace.workspace import Workspace

GATHER_SECONDS = 0.5
"""How long rows are waited for before those that came are appended together."""
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_MOST_ROWS = 5_000
_MOST_BYTES = 16 * 2**20
_MOST_WAITING = 100_000
_PAYLOAD = "payload"
PROMOTIONS = "promotions"
"""The form of the tables of that name, beside those of the inference tables."""

log = logging.getLogger("laketop.workspace")


class PayloadLog:
    """Rows of tables of users: kept before the answer is sent, appended once the engine is up.

    Who made the endpoint, or owns the model, needs the rights to write the table: what cannot be
    appended waits, the newest 100,000 rows of a table, and `problem` tells why. The engine is not
    started for it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._waiting = WaitingRows(workspace.store, most_rows=_MOST_ROWS, most_bytes=_MOST_BYTES)
        self._problems: dict[str, str] = {}
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._beginning = threading.Lock()

    def check(self, table: InferenceTable) -> None:
        """Check that the caller may make the table, or that it is one of this form already.

        Errors: NotFound for catalog or schema, PermissionDenied, ResourceAlreadyExists.
        """
        lake = Lake(self._workspace.metastore / "catalog")
        lake.schema(table.catalog, table.schema)
        rights = Securables(self._workspace)
        if table.name not in lake.tables(table.catalog, table.schema):
            rights.require_create("CREATE TABLE", f"{table.catalog}.{table.schema}")
            return
        rights.require("MODIFY", "TABLE", table.full_name)
        found = metadata_of(lake.folder(table.catalog, table.schema) / table.name)
        names = [] if found is None else [field["name"] for field in found.schema["fields"]]
        if names != table.columns:
            raise ResourceAlreadyExists(
                f"Table '{table.full_name}' already exists, and is no inference table."
            )

    def add(self, table: InferenceTable, owner: str, exchange: Exchange) -> None:
        """Keep the row of an exchange; it is there once this returns."""
        self._keep(table, owner, row_of(table.form, exchange))

    def add_decision(self, schema: str, owner: str, decision: promotion_log.Decision) -> None:
        """Keep a decision that moves no alias; it is a row of `<schema>.promotions` soon."""
        catalog, _, name = schema.partition(".")
        table = InferenceTable(PROMOTIONS, catalog, name, PROMOTIONS)
        row = {
            name: value.isoformat() if isinstance(value, dt.datetime) else value
            for name, value in dataclasses.asdict(decision).items()
        }
        self._keep(table, owner, row)

    def _keep(self, table: InferenceTable, owner: str, row: Mapping[str, Any]) -> None:
        name = json.dumps([_PAYLOAD, table.form, owner, table.full_name])
        self._waiting.add(name, row)
        self.begin()

    def note(self, name: str, row: Mapping[str, Any]) -> None:
        """Keep a row of a system table, which others append."""
        self._waiting.add(name, row)

    def begin(self) -> None:
        """Append what waits, now and later."""
        with self._beginning:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="inference tables", daemon=True
                )
                self._thread.start()
        self._news.set()

    def waits(self) -> bool:
        """Return whether rows wait."""
        return bool(self._orders())

    def problem(self, table: InferenceTable) -> str | None:
        """Return why the rows of a table could not be appended the last time, None if they were."""
        return self._problems.get(table.full_name)

    def close(self) -> None:
        """Append no more; what waits is appended the next time."""
        self._closing.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._news.wait()
            self._news.clear()
            self._closing.wait(GATHER_SECONDS)
            pause_seconds = _PAUSE_SECONDS
            while self.waits() and not self._closing.is_set():
                is_done = self._flush()
                self._closing.wait(pause_seconds if self.waits() else 0)
                longer = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
                pause_seconds = _PAUSE_SECONDS if is_done else longer

    def _orders(self) -> list[str]:
        return [name for name in self._waiting.names() if name.startswith(f'["{_PAYLOAD}"')]

    def _flush(self) -> bool:
        """Append what waits if the engine is up; return False if something could not be."""
        local = self._workspace.engine.local
        if local is None or local.state.phase not in {"serving", "warm"}:
            return True
        is_done = True
        for order in self._orders():
            _, form, owner, full_name = json.loads(order)
            table = InferenceTable(form, *full_name.split("."))
            try:
                self._append(order, table, owner)
                self._problems.pop(full_name, None)
            except Exception as error:  # noqa: BLE001 - the rows wait for the next time
                told = str(error).partition("\n")[0]
                if self._problems.get(full_name) != told:
                    log.warning("the rows of %s wait: %s", full_name, told)
                self._problems[full_name] = told
                self._waiting.keep_newest(order, _MOST_WAITING)
                is_done = False
        return is_done

    def _append(self, order: str, table: InferenceTable, owner: str) -> None:
        session = RemoteEngine(self._workspace.spark_remote_as(owner)).session()
        try:
            session.conf.set("spark.sql.session.timeZone", "UTC")
            _provide(session, table)
            app = f"laketop-{self._workspace.workspace_id}"
            while not self._closing.is_set():
                last, rows = self._waiting.batch(order)
                if not rows:
                    return
                _send(session, table, rows, app=app, version=last)
                self._waiting.forget(order, last)
        finally:
            session.stop()


def _provide(session: SparkSession, table: InferenceTable) -> None:
    if table.form == PROMOTIONS:
        promotion_log.provide(session, table.full_name)
        return
    session.sql(
        f"CREATE TABLE IF NOT EXISTS {tables.quoted(table.full_name)} ({COLUMNS[table.form]}) "
        f"CLUSTER BY ({DAYS[table.form]}) "
        "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
    )


def _send(
    session: SparkSession,
    table: InferenceTable,
    rows: list[dict[str, Any]],
    *,
    app: str,
    version: int,
) -> None:
    told = promotion_log.COLUMNS if table.form == PROMOTIONS else COLUMNS[table.form]
    columns = " ".join(told.split())
    frame = session.createDataFrame([(json.dumps(row),) for row in rows], "body STRING")
    parsed = frame.selectExpr(f"from_json(body, '{columns}') AS row").select("row.*")
    writer = parsed.write.format("delta").mode("append")
    name = tables.quoted(table.full_name)
    writer.option("txnAppId", app).option("txnVersion", version).saveAsTable(name)

"""SQL statements on their way, each by a thread of its own; its rows are kept in files for an hour.

Source: databricks-sdk, `sql.StatementExecutionAPI`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.engine.connect import RemoteEngine, tells_of_a_lost_session, tells_of_an_end
from laketop.errors import LaketopError
from laketop.workspace import statement_results as results

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "CLOSED"})
KEPT_MS = 3_600_000
"""How long rows can be fetched."""
TAG = "laketop:"
"""How a tag begins by which the engine knows whose call it is: `SQL:<statement>:<workspace>`."""
_CLASS = re.compile(r"^\([\w.$]+\) (?=\[)")
"""What Spark's client writes before the message of an error whose class it has not."""
_AGAIN_SECONDS = 0.1
"""How often a canceled statement is interrupted, until it has left the engine."""

log = logging.getLogger("laketop.workspace")


@contextlib.contextmanager
def own_session(remote: str) -> Iterator[SparkSession]:
    """Return a new session of the engine at an address, for one statement alone.

    Errors: LaketopError without an engine there.
    """
    session = RemoteEngine(remote).session()
    try:
        yield session
    finally:
        session.stop()


@dataclass(frozen=True, kw_only=True)
class Order:
    """A statement as it was sent; `arguments` are its parameters' values, by name or in order."""

    text: str
    user: str
    warehouse_id: str
    catalog: str | None = None
    schema: str | None = None
    arguments: dict[str, Any] | list[Any] = field(default_factory=dict)
    workspace_id: str = ""
    agent: str | None = None
    """What the client calls itself."""
    form: str = "JSON_ARRAY"
    is_inline: bool = True
    row_limit: int | None = None
    byte_limit: int | None = None


class Statement:
    """One statement, run by a thread of its own; `state` and what follows is set by it.

    `note` is told of its start and of its end. By `clock` it begins, lasts and is kept, so that it
    is one that goes on steadily.
    """

    def __init__(
        self,
        name: str,
        order: Order,
        folder: Path,
        clock: Callable[[], int],
        *,
        note: Callable[[Statement], None] | None = None,
    ) -> None:
        self.id = name
        self.order = order
        self.folder = folder
        self.state = "PENDING"
        self.error: dict[str, str] | None = None
        self.sql_state: str | None = None
        self.columns: list[dict[str, Any]] = []
        self.chunks: list[dict[str, int]] = []
        self.is_truncated = False
        self.start_ms = clock()
        self.opened_ms = 0
        """When the engine had a session for it."""
        self.end_ms = 0
        self.ended = threading.Event()
        self._clock = clock
        self._told = note
        self._lock = threading.Lock()
        self._left = threading.Event()
        """Set once nothing of it runs on the engine any more."""
        self._session: SparkSession | None = None

    @property
    def tag(self) -> str:
        """What the engine is told with every call, for lineage and to interrupt no other one."""
        kind = "SQL" if self._told else "PAGE"
        return f"{TAG}{kind}:{self.id}:{self.order.workspace_id}"

    def start(self, opened: Callable[[], AbstractContextManager[SparkSession]]) -> None:
        """Run it in the background; `opened` gives its session, and may wait for the engine."""
        threading.Thread(
            target=self._run, args=(opened,), name=f"laketop-sql-{self.id}", daemon=True
        ).start()

    def cancel(self) -> None:
        """Let it end as canceled unless it has ended."""
        if self._end("CANCELED"):
            threading.Thread(
                target=self._interrupt, name=f"laketop-cancel-{self.id}", daemon=True
            ).start()

    def close(self) -> None:
        """Delete its rows; they cannot be fetched any more."""
        with self._lock:
            self.state = "CLOSED"
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_old(self) -> bool:
        """Tell whether it ended so long ago that its rows go."""
        return bool(self.end_ms) and self._clock() - self.end_ms > KEPT_MS

    def chunk(self, number: int) -> pa.Table:
        """Return a chunk of the rows.

        Errors: OSError where they are gone.
        """
        import pyarrow as pa

        with pa.OSFile(str(self.folder / f"{number}.arrow")) as source:
            return pa.ipc.open_file(source).read_all()

    def _note(self) -> None:
        if self._told is not None:
            self._told(self)

    def _interrupt(self) -> None:
        # Not once: the engine forgets an interrupt of what it has not begun, and would then run
        # for ever what nobody waits for, on the slots of everybody.
        while not self._left.wait(_AGAIN_SECONDS):
            if self._session is not None:
                with contextlib.suppress(Exception):  # the engine may be gone, or the session
                    self._session.interruptTag(self.tag)

    def _run(self, opened: Callable[[], AbstractContextManager[SparkSession]]) -> None:
        self._note()
        try:
            try:
                self._run_once(opened)
            except Exception as error:
                if not tells_of_a_lost_session(_named(error)):
                    raise
                self._run_once(opened)  # in a new session: the engine was started anew
        except LaketopError as error:
            self._fail("TEMPORARILY_UNAVAILABLE", str(error))
        except Exception as error:  # noqa: BLE001 - as for a catalog that is not there
            self._fail_by(error)
        finally:
            self._left.set()

    def _run_once(self, opened: Callable[[], AbstractContextManager[SparkSession]]) -> None:
        with opened() as session:
            self._session = session
            session.addTag(self.tag)  # of this thread alone
            self.opened_ms = self._clock()
            with self._lock:
                if self.state == "PENDING":
                    self.state = "RUNNING"
            if self.state == "RUNNING":
                try:
                    self._answer(session)
                except LaketopError as error:  # of its result, not of the engine
                    self._fail_by(error)

    def _answer(self, session: SparkSession) -> None:
        order = self.order
        if order.catalog:
            session.catalog.setCurrentCatalog(order.catalog)
        if order.schema:
            session.catalog.setCurrentDatabase(order.schema)
        df = session.sql(order.text, order.arguments or None)
        self.columns = results.columns_of(df.schema)
        self._keep(self._fetched(df))
        self._end("SUCCEEDED")

    def _fetched(self, df: DataFrame) -> pa.Table:
        order = self.order
        shown = df if order.form == "ARROW_STREAM" else results.as_text(df)
        if order.row_limit is not None:
            shown = shown.limit(order.row_limit + 1)
        table = shown.toArrow()
        rows = table.num_rows if order.row_limit is None else order.row_limit
        if order.byte_limit is not None and table.nbytes > order.byte_limit:
            rows = min(rows, results.rows_within(table, order.byte_limit))
        self.is_truncated = rows < table.num_rows
        table = table.slice(0, rows)
        if order.is_inline and table.nbytes > results.INLINE_BYTES:
            raise LaketopError(
                "Inline byte limit exceeded. Statements executed with disposition=INLINE can have"
                f" a result size of at most {results.INLINE_BYTES} bytes. Please execute the"
                " statement with disposition=EXTERNAL_LINKS if you want to download the full"
                " result."
            )
        return table

    def _keep(self, table: pa.Table) -> None:
        import pyarrow as pa

        self.folder.mkdir(parents=True, mode=0o700)
        offset = 0
        for number, part in enumerate(results.chunks_of(table)):
            with (
                pa.OSFile(str(self.folder / f"{number}.arrow"), "wb") as sink,
                pa.ipc.new_file(sink, part.schema) as writer,
            ):
                writer.write_table(part)
            self.chunks.append(
                {
                    "chunk_index": number,
                    "row_offset": offset,
                    "row_count": part.num_rows,
                    "byte_count": part.nbytes,
                }
            )
            offset += part.num_rows

    def _fail_by(self, error: Exception) -> None:
        if tells_of_an_end(_named(error)):
            told = LaketopError("the engine ended while the statement ran", hint="run it again")
            self._fail("TEMPORARILY_UNAVAILABLE", str(told))
            return
        sql_state = getattr(error, "getSqlState", lambda: None)()
        message = _CLASS.sub("", str(error).partition("\n\nJVM stacktrace:")[0].strip())
        self._fail("BAD_REQUEST", message or type(error).__name__, sql_state)

    def _fail(self, code: str, message: str, sql_state: str | None = None) -> None:
        with self._lock:
            if self.state in FINAL:
                return
            self.error, self.sql_state = {"error_code": code, "message": message}, sql_state
        self._end("FAILED")

    def _end(self, state: str) -> bool:
        with self._lock:
            if self.state in FINAL:
                return False
            self.state = state
            self.end_ms = self._clock()
        self._note()
        self.ended.set()
        return True


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def argument(kind: str, value: str | None) -> Any:
    """Return the Python value of a parameter of a SQL type, None for a null.

    Errors: ValueError for a text that is none of the type, or a type that is not known.
    """
    if value is None:
        return None
    word = kind.partition("(")[0].strip().upper()
    read = _READ.get(word)
    if read is None:
        raise ValueError(f"the type {kind!r} is none that a parameter may have")
    try:
        return read(value)
    except (ArithmeticError, ValueError, KeyError):
        raise ValueError(f"{value!r} is not of type {kind}") from None


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("STRING", "VARCHAR", "CHAR"), str),
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT", "BYTE", "SHORT", "LONG"), int),
    **dict.fromkeys(("FLOAT", "DOUBLE"), float),
    "DECIMAL": decimal.Decimal,
    "BOOLEAN": _boolean,
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": _moment,
    "TIMESTAMP_NTZ": dt.datetime.fromisoformat,
}


def expire(statements: Mapping[str, Statement]) -> Sequence[str]:
    """Close the statements that ended more than an hour ago, and return their ids."""
    old = [name for name, statement in statements.items() if statement.is_old()]
    for name in old:
        statements[name].close()
    return old

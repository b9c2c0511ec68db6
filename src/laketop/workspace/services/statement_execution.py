"""SQL statements over REST, on the warm engine."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, NotFound

from laketop.runner.steady_clock import SteadyClock
from laketop.workspace import statement_results as results
from laketop.workspace import wire
from laketop.workspace.kept import iso
from laketop.workspace.service import Reply, Request, Service, route
from laketop.workspace.statements import Order, Statement, argument, expire, own_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LONGEST_WAIT_SECONDS = 50
_SHORTEST_WAIT_SECONDS = 5
_LOOK_SECONDS = 0.005
_LONGEST_TEXT = 16 * 1024 * 1024
_LONGEST_AGENT = 500
_LINK_MS = 15 * 60_000
_WAIT = re.compile(r"(\d+)s?")
_FORMS = ("JSON_ARRAY", "ARROW_STREAM", "CSV")
_DISPOSITIONS = ("INLINE", "EXTERNAL_LINKS", "INLINE_OR_EXTERNAL_LINKS")
"""The last one leaves the choice to the workspace, which then sends links."""
_COMPRESSIONS = ("NONE", "LZ4_FRAME")
_KINDS = {"JSON_ARRAY": "application/json", "CSV": "text/csv"}


class StatementExecution(Service):
    """SQL statements over REST; rows can be fetched for an hour, and until `laketop down`.

    Source: databricks-sdk, `sql.StatementExecutionAPI`.
    """

    def start(self) -> None:
        """Forget the rows of statements that an earlier process ran."""
        self._statements: dict[str, Statement] = {}
        self._folder = self.workspace.state / "statements"
        shutil.rmtree(self._folder, ignore_errors=True)

    def shutdown(self) -> None:
        """Cancel what runs."""
        for statement in self._statements.values():
            statement.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)

    @route("POST /api/2.0/sql/statements")
    async def execute_statement(
        self,
        *,
        statement: str,
        warehouse_id: str,
        request: Request,
        byte_limit: int | None = None,
        catalog: str | None = None,
        disposition: str = "INLINE",
        format: str = "JSON_ARRAY",  # noqa: A002 - the name on the wire
        on_wait_timeout: str = "CONTINUE",
        parameters: list[dict[str, Any]] | None = None,
        result_compression: str | None = None,
        row_limit: int | None = None,
        schema: str | None = None,
        session_id: str | None = None,
        wait_timeout: str = "10s",
    ) -> dict[str, Any]:
        """Run a statement, in a session if it names one; answer when it has ended or the wait has.

        Rows are never compressed, and the manifest says so, whatever `result_compression` allows.
        """
        wait_seconds = _wait_seconds(wait_timeout)
        order = Order(
            text=_text(statement),
            user=request.user,
            warehouse_id=warehouse_id,
            catalog=catalog,
            schema=schema,
            arguments=_arguments(parameters or []),
            workspace_id=self.workspace.workspace_id,
            agent=request.headers.get("user-agent", "")[:_LONGEST_AGENT] or None,
            form=_one_of("format", format, _FORMS),
            is_inline=_one_of("disposition", disposition, _DISPOSITIONS) == "INLINE",
            row_limit=_positive("row_limit", row_limit),
            byte_limit=_positive("byte_limit", byte_limit),
        )
        if order.is_inline and order.form != "JSON_ARRAY":
            raise InvalidParameterValue(
                f"The format {format} needs the disposition EXTERNAL_LINKS, not INLINE."
            )
        _one_of("on_wait_timeout", on_wait_timeout, ("CONTINUE", "CANCEL"))
        _one_of("result_compression", result_compression or "NONE", _COMPRESSIONS)
        await anyio.to_thread.run_sync(self._use, warehouse_id)
        made = self._started(order, self._opening(order, session_id))
        # Not in a thread: those that wait would leave none to answer other requests.
        deadline = time.monotonic() + wait_seconds
        while not made.ended.is_set() and time.monotonic() < deadline:  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(_LOOK_SECONDS)
        if on_wait_timeout == "CANCEL":
            await anyio.to_thread.run_sync(made.cancel)
        return await anyio.to_thread.run_sync(self._shown, made, request)

    @route("GET /api/2.0/sql/statements/{statement_id}")
    async def get_statement(self, statement_id: str, request: Request) -> dict[str, Any]:
        """Return how a statement stands, and its first chunk once it has succeeded."""
        found = self._existing(statement_id, request)
        return await anyio.to_thread.run_sync(self._shown, found, request)

    @route("GET /api/2.0/sql/statements/{statement_id}/result/chunks/{chunk_index}")
    async def get_statement_result_chunk_n(
        self, statement_id: str, chunk_index: int, request: Request
    ) -> dict[str, Any]:
        """Return a chunk of the rows, or the link to it."""
        found = self._with_rows(statement_id, request)
        return await anyio.to_thread.run_sync(self._result, found, chunk_index, request)

    @route("DELETE /api/2.0/sql/statements/{statement_id}")
    async def close_statement(self, statement_id: str, request: Request) -> None:
        """Forget a statement and its rows; one that runs is canceled."""
        found = self._existing(statement_id, request)
        self._statements.pop(statement_id, None)
        await anyio.to_thread.run_sync(found.cancel)
        await anyio.to_thread.run_sync(found.close)

    @route("POST /api/2.0/sql/statements/{statement_id}/cancel")
    async def cancel_execution(self, statement_id: str, request: Request) -> None:
        """Cancel a statement; one that has ended stays as it ended."""
        found = self._existing(statement_id, request)
        await anyio.to_thread.run_sync(found.cancel)

    @route("GET /api/laketop/1/statements/{statement_id}/chunks/{chunk_index}")
    async def download(self, statement_id: str, chunk_index: int, request: Request) -> Reply:
        """Return the bytes of a chunk; what an external link leads to."""
        found = self._with_rows(statement_id, request)
        body = await anyio.to_thread.run_sync(self._bytes, found, chunk_index)
        kind = _KINDS.get(found.order.form, "application/vnd.apache.arrow.stream")
        return Reply(body, headers={"content-type": kind})

    # --- what is run ---

    def _use(self, warehouse_id: str) -> None:
        with self.store.transaction(write=False):
            runs = self.workspace.warehouses.use(warehouse_id)["state"] == "RUNNING"
        if not runs:  # else a statement would wait for the disk to keep what is kept already
            with self.store.transaction(write=True):
                self.workspace.warehouses.start_warehouse(warehouse_id)

    def _opening(
        self, order: Order, session_id: str | None
    ) -> Callable[[], AbstractContextManager[SparkSession]]:
        if session_id is None:
            return lambda: own_session(self.workspace.spark_remote_as(order.user))
        if order.catalog or order.schema:
            raise InvalidParameterValue("A statement of a session takes catalog and schema of it.")
        opened = self.workspace.sql_sessions.opened(session_id, order.user, order.text)
        return lambda: opened

    def _started(
        self, order: Order, opened: Callable[[], AbstractContextManager[SparkSession]]
    ) -> Statement:
        now_ms = self.workspace.now_ms
        for old in expire(self._statements):
            del self._statements[old]
        name = str(uuid.uuid4())
        note = self.workspace.query_history.log.note
        clock = SteadyClock(now_ms, now_ms.steady)
        made = Statement(name, order, self._folder / name, clock, note=note)
        self._statements[name] = made
        made.start(opened)
        return made

    def _existing(self, name: str, request: Request) -> Statement:
        found = self._statements.get(name)
        if found is None or found.order.user != request.user:
            raise NotFound(f"The statement {name} was not found.")
        return found

    def _with_rows(self, name: str, request: Request) -> Statement:
        found = self._existing(name, request)
        if found.state != "SUCCEEDED":
            raise BadRequest(f"The statement {name} has no rows: it is {found.state}.")
        return found

    # --- how it is shown ---

    def _shown(self, statement: Statement, request: Request) -> dict[str, Any]:
        state = statement.state
        status: dict[str, Any] = {"state": state}
        if state == "FAILED":
            status |= {"error": statement.error}
            status |= {"sql_state": statement.sql_state} if statement.sql_state else {}
        told: dict[str, Any] = {"statement_id": statement.id, "status": status}
        if state == "SUCCEEDED":
            told |= {"manifest": _manifest(statement)}
            told |= {"result": self._result(statement, 0, request)}
        return told

    def _result(self, statement: Statement, number: int, request: Request) -> dict[str, Any]:
        if not 0 <= number < len(statement.chunks):
            raise InvalidParameterValue(
                f"There is no chunk {number}; the result has {len(statement.chunks)}."
            )
        told: dict[str, Any] = dict(statement.chunks[number])
        if number + 1 < len(statement.chunks):
            path = f"/api/2.0/sql/statements/{statement.id}/result/chunks/{number + 1}"
            told |= {"next_chunk_index": number + 1, "next_chunk_internal_link": path}
        if not statement.order.is_inline:
            return {"external_links": [{**told, **self._link(statement, number, request)}]}
        return {**told, "data_array": results.data_array(statement.chunk(number))}

    def _link(self, statement: Statement, number: int, request: Request) -> dict[str, str]:
        until_ms = self.workspace.now_ms() + _LINK_MS
        path = f"/api/laketop/1/statements/{statement.id}/chunks/{number}"
        link = self.workspace.links.signed("GET", path, user=request.user, until_ms=until_ms)
        return {
            "external_link": f"{request.host}{link}",
            "expiration": iso(until_ms),
        }

    def _bytes(self, statement: Statement, number: int) -> bytes:
        if not 0 <= number < len(statement.chunks):
            raise NotFound(f"There is no chunk {number}.")
        header = [column["name"] for column in statement.columns] if number == 0 else None
        return results.encoded(statement.chunk(number), statement.order.form, header=header)


def _manifest(statement: Statement) -> dict[str, Any]:
    chunks = statement.chunks
    return {
        "format": statement.order.form,
        "schema": {"column_count": len(statement.columns), "columns": statement.columns},
        "total_chunk_count": len(chunks),
        "chunks": chunks,
        "total_row_count": sum(chunk["row_count"] for chunk in chunks),
        "total_byte_count": sum(chunk["byte_count"] for chunk in chunks),
        "truncated": statement.is_truncated,
    }


def _text(statement: str) -> str:
    if not statement.strip():
        raise InvalidParameterValue("The statement is empty.")
    if len(statement.encode()) > _LONGEST_TEXT:
        raise InvalidParameterValue("The statement has more than 16 MiB.")
    return statement


def _wait_seconds(text: str) -> int:
    match = _WAIT.fullmatch(text)
    seconds = int(match.group(1)) if match else -1
    if seconds == 0 or _SHORTEST_WAIT_SECONDS <= seconds <= _LONGEST_WAIT_SECONDS:
        return seconds
    raise InvalidParameterValue(
        f"wait_timeout {text!r} is neither 0s nor from {_SHORTEST_WAIT_SECONDS}s to"
        f" {_LONGEST_WAIT_SECONDS}s."
    )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InvalidParameterValue(f"{name} {value!r} is none of {', '.join(allowed)}.")
    return value


def _positive(name: str, value: int | None) -> int | None:
    if value is not None and value <= 0:
        raise InvalidParameterValue(f"{name} {value} is not positive.")
    return value


def _arguments(parameters: list[dict[str, Any]]) -> dict[str, Any] | list[Any]:
    """Return the values of parameters by their names, or in order where none has one."""
    text = wire.converter(str)
    try:
        values = [
            argument(
                text("type", one.get("type") or "STRING"),
                None if one.get("value") is None else text("value", one["value"]),
            )
            for one in parameters
        ]
    except ValueError as error:
        raise InvalidParameterValue(f"A parameter cannot be used: {error}.") from error
    names = [one.get("name") for one in parameters]
    if all(name is None for name in names):
        return values
    if not all(isinstance(name, str) and name for name in names):
        raise InvalidParameterValue("Either each parameter has a name, which is text, or none.")
    return {str(name): value for name, value in zip(names, values, strict=True)}

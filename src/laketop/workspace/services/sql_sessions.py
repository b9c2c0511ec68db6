"""Sessions of SQL over REST, as databricks-sql-connector opens them with `use_sea=True`."""

from __future__ import annotations

import threading
import uuid
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound

from laketop.workspace.query_log import statement_type
from laketop.workspace.service import Request, Service, route
from laketop.workspace.statement_sessions import SqlSession, settings_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MOST = 100


class SqlSessions(Service):
    """Sessions keep catalog, schema, temporary views and settings between their statements.

    They end when they are deleted, after an hour without a statement, and with the workspace.
    Source: databricks-sql-connector, `SeaDatabricksClient`.
    """

    def start(self) -> None:
        """Begin with no session: none outlives the process that made it."""
        self._sessions: dict[str, SqlSession] = {}
        self._guard = threading.Lock()

    def shutdown(self) -> None:
        """End every session."""
        for session in [*self._sessions.values()]:
            session.end()

    @route("POST /api/2.0/sql/sessions")
    def create(
        self,
        warehouse_id: str,
        catalog: str | None = None,
        schema: str | None = None,
        session_confs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Open a session on a warehouse."""
        self.workspace.warehouses.use(warehouse_id)
        try:
            settings = settings_of(session_confs or {})
        except ValueError as error:
            raise InvalidParameterValue(f"session_confs cannot be used: {error}.") from error
        made = SqlSession(
            user=self.workspace.user,
            catalog=catalog,
            schema=schema,
            settings=settings,
            clock=self.workspace.now_ms.steady,
        )
        with self._guard:
            for old in [name for name, one in self._sessions.items() if one.is_idle()]:
                self._sessions.pop(old).end()
            if len(self._sessions) >= _MOST:
                raise InvalidParameterValue(f"{_MOST} sessions are open already.")
            name = str(uuid.uuid4())
            self._sessions[name] = made
        return {"session_id": name}

    @route("DELETE /api/2.0/sql/sessions/{session_id}")
    def delete(self, session_id: str, request: Request) -> None:
        """End a session and the statements that it runs."""
        found = self._existing(session_id, request.user)
        with self._guard:
            self._sessions.pop(session_id, None)
        found.end()

    def opened(self, session_id: str, user: str, text: str) -> AbstractContextManager[SparkSession]:
        """Return the engine's session for a statement of `user`; it waits for the engine.

        Errors: NotFound for a session that there is not.
        """
        found = self._existing(session_id, user)
        if statement_type(text) == "USE":
            found.leave_schema()
        return found.opened(lambda: self.workspace.spark_remote_as(user))

    def _existing(self, session_id: str, user: str) -> SqlSession:
        found = self._sessions.get(session_id)
        if found is None or found.user != user:
            raise NotFound(f"The session {session_id} was not found.")
        return found

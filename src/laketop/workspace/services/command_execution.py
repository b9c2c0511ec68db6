"""Commands on a cluster: Python and SQL that keep their variables, for remote tools and dbutils."""

from __future__ import annotations

import functools
import threading
from typing import Any, Literal

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.command_contexts import Command, Context
from laketop.workspace.service import Service, route

_MOST_CONTEXTS = 16


class CommandExecution(Service):
    """API 1.2. A context is a process of its user's rights, and ends with its cluster.

    Source: databricks-sdk, `compute.CommandExecutionAPI`, workspace-api 6.
    """

    def start(self) -> None:
        """Begin with no context: none outlives the process that made it."""
        self._contexts: dict[str, Context] = {}
        self._guard = threading.Lock()

    def shutdown(self) -> None:
        """End every context."""
        for context in [*self._contexts.values()]:
            context.close()

    @route("POST /api/1.2/contexts/create")
    def create(self, clusterId: str, language: str = "python") -> dict[str, Any]:  # noqa: N803 - the name on the wire
        """Make a context, which becomes ready by and by."""
        self.workspace.clusters.require_running(clusterId)
        _check_language(language)
        user = self.workspace.user
        with self._guard:
            if len(self._contexts) >= _MOST_CONTEXTS:
                raise InvalidParameterValue(f"{_MOST_CONTEXTS} contexts are open already.")
            made = Context(
                owner=user,
                cluster_id=clusterId,
                language=language,
                folder=self.workspace.state / "contexts",
                state=self.workspace.state,
                environment=functools.partial(self.workspace.environment_as, user),
            )
            self._contexts[made.id] = made
        return {"id": made.id}

    @route("GET /api/1.2/contexts/status")
    def context_status(self, clusterId: str, contextId: str) -> dict[str, Any]:  # noqa: N803 - the names on the wire
        """Return whether a context is ready."""
        return {"id": contextId, "status": self._context(clusterId, contextId).status}

    @route("POST /api/1.2/contexts/destroy")
    def destroy(self, clusterId: str, contextId: str) -> dict[str, Any]:  # noqa: N803 - the names on the wire
        """End a context and what runs in it."""
        found = self._context(clusterId, contextId)
        with self._guard:
            del self._contexts[contextId]
        self.store.after_commit(found.close)
        return {"id": contextId}

    @route("POST /api/1.2/commands/execute")
    def execute(
        self,
        clusterId: str,  # noqa: N803 - the name on the wire
        contextId: str,  # noqa: N803 - the name on the wire
        command: str,
        language: str | None = None,
    ) -> dict[str, Any]:
        """Run a command after those that were sent before it, and return at once."""
        found = self._context(clusterId, contextId)
        language = language or found.language
        _check_language(language)
        return {"id": found.execute(language, command).id}

    @route("GET /api/1.2/commands/status")
    def command_status(self, clusterId: str, contextId: str, commandId: str) -> dict[str, Any]:  # noqa: N803 - the names on the wire
        """Return how a command stands, and its result once it has ended."""
        found = self._command(clusterId, contextId, commandId)
        told: dict[str, Any] = {"id": found.id, "status": found.status}
        return {**told, "results": found.results} if found.results else told

    @route("POST /api/1.2/commands/cancel")
    def cancel(self, clusterId: str, contextId: str, commandId: str) -> dict[str, Any]:  # noqa: N803 - the names on the wire
        """End a command that waits or runs."""
        found = self._command(clusterId, contextId, commandId)
        self._context(clusterId, contextId).cancel(found)
        return {"id": found.id}

    def forget(self, cluster_id: str) -> None:
        """End the contexts of a cluster, once the transaction that asks for it is committed."""
        with self._guard:
            gone = [c for c in self._contexts.values() if c.cluster_id == cluster_id]
            for one in gone:
                del self._contexts[one.id]
        for one in gone:
            self.store.after_commit(one.close)

    def _context(self, cluster_id: str, context_id: str) -> Context:
        self.workspace.clusters.existing(cluster_id)
        with self._guard:
            found = self._contexts.get(context_id)
        if found is None or found.cluster_id != cluster_id or found.owner != self.workspace.user:
            raise InvalidParameterValue(f"ContextNotFound: {context_id[:100]}")
        return found

    def _command(self, cluster_id: str, context_id: str, command_id: str) -> Command:
        found = self._context(cluster_id, context_id).commands.get(command_id)
        if found is None:
            raise InvalidParameterValue(f"CommandNotFound: {command_id[:100]}")
        return found


def _check_language(language: str) -> Literal["python", "sql"]:
    if language == "python":
        return "python"
    if language == "sql":
        return "sql"
    raise NotServed(f"laketop runs commands in python and sql, not in {language[:50]!r}.")

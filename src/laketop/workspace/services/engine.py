"""The state of the warm engine, for the command line; Databricks has no such routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import TemporarilyUnavailable

from laketop.workspace.service import Service, route

if TYPE_CHECKING:
    from laketop.engine import LocalEngine


class Engine(Service):
    """The one engine of the project."""

    shared = True

    local: LocalEngine | None = None
    """Set by the process that supervises it."""

    @route("GET /api/laketop/1/engine")
    def get(self) -> dict[str, Any]:
        """Return what the engine is doing."""
        return self._told()

    @route("POST /api/laketop/1/engine", write=False)
    def ensure(self) -> dict[str, Any]:
        """Start the engine where it is idle, and return what it is doing, without waiting."""
        self._local().start()
        return self._told()

    def pid(self) -> int | None:
        """Return the process that is the engine now, None if there is none."""
        return None if self.local is None else self.local.pid

    def _told(self) -> dict[str, Any]:
        local = self._local()
        state = local.state
        return {
            "phase": state.phase,
            "pid": state.pid,
            "restarts": state.restarts,
            "message": state.message,
            "log": str(local.log),
            "runtime": local.runtime.key,
            "spark": local.runtime.spark,
        }

    def _local(self) -> LocalEngine:
        if self.local is None:
            raise TemporarilyUnavailable("This workspace was started without an engine.")
        return self.local

"""The tables of the `system` catalog, for tools that cannot wait; Databricks has no such route."""

from __future__ import annotations

import functools
from typing import Any

import anyio.to_thread

from laketop.workspace.principals import ENGINE
from laketop.workspace.service import Service, route
from laketop.workspace.store import Store
from laketop.workspace.system_export import SystemExport


class SystemTables(Service):
    """Audit, jobs, runs and usage in Delta tables; rows come there within a minute."""

    @functools.cached_property
    def _export(self) -> SystemExport:
        return SystemExport(self.workspace, self._remote)

    def begin(self) -> None:
        """Export from now on."""
        self._export.begin()

    def hand_over(self, store: Store) -> None:
        """Leave what waits to another workspace's store: this one is about to be deleted."""
        self._export.hand_over(store)

    def shutdown(self) -> None:
        """Export no more."""
        self._export.end()

    @route("POST /api/laketop/1/system-tables/flush", write=False)
    async def flush(self) -> dict[str, Any]:
        """Export what waits now, and return how many rows that were."""
        self.workspace.require_admin()
        return {"rows": await anyio.to_thread.run_sync(self._flush)}

    def _flush(self) -> int:
        return self._export.flush(whole=True)

    def _remote(self) -> str | None:
        """Return the engine's address if it is up: nothing is exported to a cold one."""
        local = self.workspace.engine.local
        if local is None or local.state.phase not in {"serving", "warm"}:
            return None
        return self.workspace.spark_remote_as(ENGINE)

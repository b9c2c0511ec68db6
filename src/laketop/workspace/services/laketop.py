"""What laketop tells of itself; Databricks has no such routes."""

from __future__ import annotations

from typing import Any

from laketop._version import __version__
from laketop.workspace.service import Request, Service, route


class Laketop(Service):
    """The state of this workspace, for the command line."""

    @route("GET /api/laketop/1/status")
    def status(self, request: Request) -> dict[str, Any]:
        """Return version, identity and what is running."""
        rows = self.store.execute("SELECT count(*) FROM runs WHERE is_active")
        return {
            "version": __version__,
            "workspace_id": self.workspace.workspace_id,
            "user": self.workspace.user,
            "host": request.host,
            "now_ms": self.workspace.now_ms(),
            "active_runs": rows[0][0],
        }

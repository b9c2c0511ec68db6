"""What laketop tells of itself; Databricks has no such routes."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import NotFound

from laketop._version import __version__
from laketop.workspace.service import Request, Service, route


class Laketop(Service):
    """The state of this workspace, for the command line."""

    @route("POST /api/laketop/1/tokens")
    def create_token(
        self, user: str | None = None, comment: str = "", lifetime_seconds: int | None = None
    ) -> dict[str, Any]:
        """Make a personal access token of anybody in the workspace; its value is told this once."""
        self.workspace.require_admin()
        who = user or self.workspace.user
        if self.workspace.principals.find(who) is None:
            raise NotFound(
                f"There is no user and no service principal {who[:200]!r} in this workspace."
            )
        issue = self.workspace.services["tokens"].issue  # type: ignore[attr-defined]  # by name
        value, token = issue(who, comment, lifetime_seconds)
        return {"token_value": value, "token_id": token.id, "user": who}

    @route("GET /api/laketop/1/tokens")
    def list_tokens(self) -> dict[str, Any]:
        """Return the personal access tokens of everybody, never their values."""
        self.workspace.require_admin()
        return {
            "tokens": [
                {
                    "token_id": one.id,
                    "owner": one.user,
                    "comment": one.comment,
                    "creation_time": one.created_ms,
                    "expiry_time": -1 if one.expires_ms is None else one.expires_ms,
                }
                for one in self.workspace.tokens.all()
                if one.kind == "pat"
            ]
        }

    @route("GET /api/laketop/1/status")
    def status(self, request: Request) -> dict[str, Any]:
        """Return version, identity and what is running."""
        return {
            "version": __version__,
            "workspace_id": self.workspace.workspace_id,
            "user": self.workspace.user,
            "host": request.host,
            "now_ms": self.workspace.now_ms(),
            "workspace": self.workspace.name,
            "active_runs": self.active_runs(),
            "active_runs_of_all": self.workspace.workspaces.active_runs(),
        }

    @route("GET /api/laketop/1/dropped")
    def list_dropped(self) -> dict[str, Any]:
        """Return by route the fields that clients sent and no handler read, and how often."""
        self.workspace.require_admin()
        return {
            "routes": {
                route: dict(fields)
                for service in self.workspace.services.values()
                for route, fields in service.dropped.items()
                if fields
            }
        }

    def active_runs(self) -> int:
        """Return how many runs of this workspace are active."""
        with self.store.reading():
            rows = self.store.execute("SELECT count(*) FROM runs WHERE is_active")
        return int(rows[0][0])

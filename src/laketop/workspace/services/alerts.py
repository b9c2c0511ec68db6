"""Alerts on saved queries, whose state sql tasks tell."""

from __future__ import annotations

import functools
from typing import Any

from laketop.workspace.saved import Saved
from laketop.workspace.service import Service, route


class Alerts(Service):
    """Alerts on saved queries, whose state sql tasks tell.

    Source: databricks-sdk, `sql.AlertsAPI`.
    """

    @functools.cached_property
    def _saved(self) -> Saved:
        return Saved(self.store, "alert")

    @route("POST /api/2.0/sql/alerts")
    def create(self, alert: dict[str, Any] | None = None) -> dict[str, Any]:
        """Keep a new alert."""
        now_ms = self.workspace.now_ms()
        return self._saved.create(alert or {}, owner=self.workspace.user, now_ms=now_ms)

    @route("GET /api/2.0/sql/alerts/{id}")
    def get(self, id: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        """Return an alert."""
        self._require(id, "CAN_VIEW")
        return self._saved.get(id)

    @route("GET /api/2.0/sql/alerts")
    def list(self, page_size: int = 20, page_token: str | None = None) -> dict[str, Any]:
        """Return the alerts that the caller may see, by pages."""
        return self._saved.page(page_size, page_token, self._sees)

    @route("PATCH /api/2.0/sql/alerts/{id}")
    def update(
        self,
        id: str,  # noqa: A002 - the name on the wire
        update_mask: str,
        alert: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change fields of an alert."""
        self._require(id, "CAN_EDIT")
        return self._saved.update(id, alert or {}, update_mask, now_ms=self.workspace.now_ms())

    @route("DELETE /api/2.0/sql/alerts/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the name on the wire
        """Forget an alert."""
        self._require(id, "CAN_MANAGE")
        self._saved.delete(id)
        self.workspace.permissions.forget("alerts", id)

    def existing(self, name: str) -> dict[str, Any]:
        """Return an alert whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        return self._saved.get(name)

    def _require(self, name: str, level: str) -> None:
        self._saved.get(name)
        self.workspace.permissions.require("alerts", name, level)

    def _sees(self, name: str) -> bool:
        return bool(self.workspace.permissions.allows("alerts", name, "CAN_VIEW"))

"""Alerts on saved queries, whose state sql tasks tell."""

from __future__ import annotations

from typing import Any

from databricks.sdk.service.sql import Alert, AlertState

from laketop.workspace.kept import iso
from laketop.workspace.saved import SavedService
from laketop.workspace.service import route


class Alerts(SavedService):
    """Alerts on saved queries, whose state sql tasks tell.

    Source: databricks-sdk, `sql.AlertsAPI`.
    """

    kind = "alert"
    shape = Alert
    objects = "alerts"

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

    def evaluated(self, name: str, state: str) -> None:
        """Keep the state in which a task has found an alert, if there is one of this id."""
        found = {"state": state}
        if state == AlertState.TRIGGERED.value:
            found["trigger_time"] = iso(self.workspace.now_ms())
        self._saved.note(name, found)

    @route("DELETE /api/2.0/sql/alerts/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the name on the wire
        """Forget an alert."""
        self._require(id, "CAN_MANAGE")
        self._saved.delete(id)
        self.workspace.permissions.forget("alerts", id)

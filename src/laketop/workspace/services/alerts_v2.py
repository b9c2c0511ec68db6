"""Alerts with a query and a schedule of their own: tasks evaluate them, no schedule fires."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.sql import AlertV2

from laketop.workspace.kept import Record, iso, masked
from laketop.workspace.permitted import PermittedService, check_cron
from laketop.workspace.run_output import NOT_EVALUATED
from laketop.workspace.service import Fields, route

_SET_BY_US = (
    *("id", "create_time", "update_time", "lifecycle_state", "owner_user_name"),
    *("effective_run_as", "run_as_user_name"),
)
_FOUND = ("state", "last_evaluated_at")
"""What an evaluation finds."""


class AlertsV2(PermittedService):
    """Alerts as objects. Source: databricks-sdk, `sql.AlertsV2API`."""

    kind = "Alert"
    shape = AlertV2
    objects = "alertsv2"
    id_field = "id"

    @route("POST /api/2.0/alerts")
    def create_alert(self, fields: Fields) -> Record:
        """Keep a new alert."""
        sent = self._alert(fields)
        id_, user, now = str(uuid.uuid4()), self.workspace.user, iso(self.workspace.now_ms())
        known = {"id": id_, "lifecycle_state": "ACTIVE", "create_time": now, "update_time": now}
        return self._kept.add(
            id_, {**sent, **known, "owner_user_name": user, "run_as_user_name": user}
        )

    @route("GET /api/2.0/alerts/{id}")
    def get_alert(self, id: str) -> Record:  # noqa: A002 - the name on the wire
        """Return an alert, of what is in the trash too."""
        return self._require(id, "CAN_READ")

    @route("GET /api/2.0/alerts")
    def list_alerts(self, page_size: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the alerts that the caller may see, by pages, but for those in the trash."""
        seen = self._allowed("CAN_READ")
        return self._kept.page(
            "alerts",
            page_size,
            page_token,
            lambda one: one["lifecycle_state"] == "ACTIVE" and seen(one),
        )

    @route("PATCH /api/2.0/alerts/{id}")
    def update_alert(self, id: str, update_mask: str, fields: Fields) -> Record:  # noqa: A002
        """Change the fields of an alert that the mask names."""
        old = self._require(id, "CAN_EDIT")
        new = masked(old, fields, update_mask, shape=AlertV2, fixed=_SET_BY_US)
        stays = {field: old[field] for field in _SET_BY_US if field in old}
        now = iso(self.workspace.now_ms())
        changed = {**self._alert(new), **stays, "update_time": now}
        found = {field: old["evaluation"][field] for field in _FOUND if field in old["evaluation"]}
        changed["evaluation"] = {**changed["evaluation"], **found}
        return self._kept.put(id, changed)

    @route("DELETE /api/2.0/alerts/{id}")
    def trash_alert(self, id: str, purge: bool = False) -> None:  # noqa: A002 - as above
        """Put an alert into the trash; with `purge` forget it."""
        old = self._require(id, "CAN_MANAGE")
        if purge:
            self._forget(id)
        else:
            self._kept.put(id, {**old, "lifecycle_state": "DELETED"})

    def active(self, key: str) -> Record | None:
        """Return an alert that the caller may read; None where there is none but in the trash."""
        if key not in self._kept or self._kept.existing(key)["lifecycle_state"] != "ACTIVE":
            return None
        return self._require(key, "CAN_READ")

    def evaluated(self, key: str, state: str) -> None:
        """Keep the state in which a task has found an alert, if there is one of this id."""
        if key in self._kept:
            old = self._kept.existing(key)
            found = {"state": state, "last_evaluated_at": iso(self.workspace.now_ms())}
            self._kept.put(key, {**old, "evaluation": {**old["evaluation"], **found}})

    def _alert(self, fields: Mapping[str, Any]) -> Record:
        sent = self._kept.checked(fields, without=_SET_BY_US)
        for field in ("display_name", "query_text"):
            if not sent[field]:
                raise InvalidParameterValue(f"Missing required field: {field}")
        schedule = sent["schedule"]
        check_cron(schedule["quartz_cron_schedule"], schedule["timezone_id"])
        self.workspace.warehouses.existing(sent["warehouse_id"])
        evaluation = {k: v for k, v in sent["evaluation"].items() if k not in _FOUND}
        return {**sent, "evaluation": {**evaluation, "state": NOT_EVALUATED}}

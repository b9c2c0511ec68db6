"""Alerts with a query of their own: on the local workspace only tasks evaluate them."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import LocalApi, remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/alerts"
_FIELDS = (
    *("display_name", "query_text", "warehouse_id", "evaluation", "schedule", "parent_path"),
    *("custom_summary", "custom_description", "custom_template_format", "parameters", "run_as"),
)
_FOUND = ("state", "last_evaluated_at")
"""What an evaluation finds, beside how it is made."""


class Alerts(Kind):
    """An alert; what is deleted goes into the trash. Source: databricks-sdk, `sql.AlertsV2API`."""

    immutable = frozenset({"parent_path"})

    def create(self, body: Body) -> str:
        """Create it in its folder, which is made if need be, and return its id."""
        sent = self._sent(body)
        if sent.get("parent_path"):
            self.api.do("POST", "/api/2.0/workspace/mkdirs", body={"path": sent["parent_path"]})
        return str(self.api.do("POST", _PATH, body=sent)["id"])

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone or in the trash."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        if told is None or told.get("lifecycle_state") == "DELETED":
            return None
        found = {name: told[name] for name in _FIELDS if told.get(name) is not None}
        made = {k: v for k, v in (told.get("evaluation") or {}).items() if k not in _FOUND}
        return {**found, "evaluation": made}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Change it; a field that the bundle no longer has is emptied."""
        sent = {name: value for name, value in self._sent(body).items() if name != "parent_path"}
        gone = now.keys() - sent.keys() - {"parent_path", "run_as"}
        mask = {"update_mask": ",".join(sorted(sent.keys() | gone))}
        self.api.do("PATCH", f"{_PATH}/{id_}", query=mask, body=sent)

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - it holds no data
        """Put it into the trash; fine if it is gone."""
        remove(self.api, "DELETE", f"{_PATH}/{id_}")

    def find(self, body: Body) -> str | None:
        """Return the id of one of this name in this folder; several may bear it."""
        token = None
        while True:
            query = {"page_token": token} if token else None
            told: dict[str, Any] = self.api.do("GET", _PATH, query=query)
            for one in told.get("alerts") or told.get("results") or ():
                if all(one.get(name) == body.get(name) for name in ("display_name", "parent_path")):
                    return str(one["id"])
            token = told.get("next_page_token")
            if not token:
                return None

    def _sent(self, body: Body) -> dict[str, Any]:
        sent = {name: body[name] for name in _FIELDS if body.get(name)}
        if isinstance(self.api, LocalApi):
            sent["warehouse_id"] = self._warehouse(str(sent.get("warehouse_id")))
        return sent

    def _warehouse(self, id_: str) -> str:
        """Return the id of a warehouse that is here: one of another workspace is stood in for."""
        if told_at(self.api, f"/api/2.0/sql/warehouses/{id_}") is not None:
            return id_
        return str(self.api.do("GET", "/api/2.0/sql/warehouses")["warehouses"][0]["id"])

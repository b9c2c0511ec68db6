"""AI/BI dashboards: a draft, published as it is."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import LocalApi, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/lakeview/dashboards"
_FIELDS = ("display_name", "warehouse_id", "parent_path", "serialized_dashboard")


class Dashboards(Kind):
    """A dashboard; users are asked before it goes. Source: databricks-sdk, `LakeviewAPI`."""

    immutable = frozenset({"parent_path"})
    holds_data = True

    def create(self, body: Body) -> str:
        """Create it in its folder, which is made if need be, publish it and return its id."""
        if body.get("parent_path"):
            folder = {"path": body["parent_path"]}
            self.api.do("POST", "/api/2.0/workspace/mkdirs", body=folder)
        id_ = str(self.api.do("POST", _PATH, body=self._sent(body))["dashboard_id"])
        self._publish(id_, body)
        return id_

    def read(self, id_: str) -> Body | None:
        """Return the draft, None if it is gone or in the trash."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        if told is None or told.get("lifecycle_state") == "TRASHED":
            return None
        return {name: told[name] for name in _FIELDS if told.get(name) is not None}

    def update(self, id_: str, body: Body, now: Body) -> None:  # noqa: ARG002 - all is replaced
        """Replace the draft and publish it."""
        sent = {name: value for name, value in self._sent(body).items() if name != "parent_path"}
        self.api.do("PATCH", f"{_PATH}/{id_}", body=sent)
        self._publish(id_, body)

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - whoever deploys is asked
        """Put it into the trash; fine if it is there already."""
        if self.read(id_) is not None:
            self.api.do("DELETE", f"{_PATH}/{id_}")

    def find(self, body: Body) -> str | None:
        """Return the id of the one of this name in this folder, where names are unique."""
        token = None
        while True:
            query = {"page_token": token} if token else None
            told: dict[str, Any] = self.api.do("GET", _PATH, query=query)
            for one in told.get("dashboards") or ():
                if one.get("display_name") == body.get("display_name"):
                    found = self.read(str(one["dashboard_id"])) or {}
                    if _short(found) == _short(body):
                        return str(one["dashboard_id"])
            token = told.get("next_page_token")
            if not token:
                return None

    def _publish(self, id_: str, body: Body) -> None:
        how = {"embed_credentials": bool(body.get("embed_credentials"))}
        warehouse = self._sent(body).get("warehouse_id")
        wish = {**how, **({"warehouse_id": warehouse} if warehouse else {})}
        self.api.do("POST", f"{_PATH}/{id_}/published", body=wish)

    def _sent(self, body: Body) -> dict[str, Any]:
        sent = {name: body[name] for name in _FIELDS if body.get(name)}
        if isinstance(self.api, LocalApi) and not self._has_warehouse(sent.get("warehouse_id")):
            sent.pop("warehouse_id", None)  # of another workspace; nothing draws it here
        return sent

    def _has_warehouse(self, id_: str | None) -> bool:
        return id_ is not None and bool(told_at(self.api, f"/api/2.0/sql/warehouses/{id_}"))


def _short(body: Body) -> str:
    return "/" + str(body.get("parent_path") or "").removeprefix("/Workspace").strip("/")

"""All-purpose clusters."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.1/clusters"


class Clusters(Kind):
    """A cluster; it goes for good when the bundle no longer has it.

    Source: databricks-sdk, `compute.ClustersAPI`; `spec` is what was asked for.
    """

    id_field = "cluster_id"

    def create(self, body: Body) -> str:
        """Create it and return its id."""
        return str(self.api.do("POST", f"{_PATH}/create", body=body)["cluster_id"])

    def read(self, id_: str) -> Body | None:
        """Return what was asked for, None if it is gone."""
        told = told_at(self.api, f"{_PATH}/get", {"cluster_id": id_})
        return None if told is None else dict(told.get("spec") or {})

    def update(self, id_: str, body: Body, now: Body) -> None:  # noqa: ARG002 - all is replaced
        """Replace its settings; one that runs is restarted by that."""
        self.api.do("POST", f"{_PATH}/edit", body={**body, "cluster_id": id_})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - a cluster holds no data
        """Delete it for good; fine if it is gone."""
        remove(self.api, "POST", f"{_PATH}/permanent-delete", {"cluster_id": id_})

    def find(self, body: Body) -> str | None:
        """Return the id of the one of this name, if there is just one."""
        name = body.get("cluster_name")
        found: list[str] = []
        query: dict[str, str] = {}
        while True:
            told: dict[str, Any] = self.api.do("GET", f"{_PATH}/list", query=query)
            listed = told.get("clusters") or ()
            found += [str(one["cluster_id"]) for one in listed if one.get("cluster_name") == name]
            if not told.get("next_page_token"):
                return found[0] if name and len(found) == 1 else None
            query = {"page_token": told["next_page_token"]}

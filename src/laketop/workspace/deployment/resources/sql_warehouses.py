"""SQL warehouses."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/sql/warehouses"
_FIELDS = (
    *("name", "cluster_size", "warehouse_type", "auto_stop_mins", "channel", "tags"),
    *("enable_photon", "enable_serverless_compute", "min_num_clusters", "max_num_clusters"),
    *("spot_instance_policy", "instance_profile_arn"),
)


class SqlWarehouses(Kind):
    """A warehouse. Source: databricks-sdk, `sql.WarehousesAPI`."""

    def create(self, body: Body) -> str:
        """Create it and return its id."""
        return str(self.api.do("POST", _PATH, body=body)["id"])

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        if told is None:
            return None
        return {name: told[name] for name in _FIELDS if told.get(name) is not None}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Change it; what the bundle leaves to the workspace stays."""
        self.api.do("POST", f"{_PATH}/{id_}/edit", body={**now, **body})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - a warehouse holds no data
        """Delete it; fine if it is gone."""
        remove(self.api, "DELETE", f"{_PATH}/{id_}")

    def find(self, body: Body) -> str | None:
        """Return the id of the one of this name: names are unique."""
        listed: list[dict[str, Any]] = self.api.do("GET", _PATH).get("warehouses") or []
        return next((str(one["id"]) for one in listed if one.get("name") == body["name"]), None)

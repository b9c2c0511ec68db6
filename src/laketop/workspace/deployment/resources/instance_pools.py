"""Instance pools."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import ApiError
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/instance-pools"
_CHANGEABLE = (
    *("instance_pool_name", "min_idle_instances", "max_capacity", "custom_tags"),
    *("idle_instance_autotermination_minutes", "node_type_flexibility"),
)
_FIXED = (
    *("node_type_id", "aws_attributes", "azure_attributes", "gcp_attributes", "disk_spec"),
    *("enable_elastic_disk", "preloaded_docker_images", "preloaded_spark_versions"),
)


class InstancePools(Kind):
    """A pool. Source: databricks-sdk, `compute.InstancePoolsAPI`, also for what never changes."""

    immutable = frozenset(_FIXED)
    id_field = "instance_pool_id"

    def create(self, body: Body) -> str:
        """Create it and return its id."""
        return str(self.api.do("POST", f"{_PATH}/create", body=body)["instance_pool_id"])

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        try:
            told = self.api.do("GET", f"{_PATH}/get", query={"instance_pool_id": id_})
        except ApiError as error:
            # The sentence about a pool that is gone is not the one about other things.
            if error.is_missing or "Can't find" in error.message:
                return None
            raise
        fields = (*_CHANGEABLE, *_FIXED)
        return {name: told[name] for name in fields if told.get(name) is not None}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Change what a pool lets change; what the bundle no longer has stays as it is."""
        sent = {**now, **body, "instance_pool_id": id_}
        self.api.do("POST", f"{_PATH}/edit", body=sent)

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - a pool holds no data
        """Delete it; fine if it is gone."""
        if self.read(id_) is not None:
            self.api.do("POST", f"{_PATH}/delete", body={"instance_pool_id": id_})

    def find(self, body: Body) -> str | None:
        """Return the id of the one of this name."""
        name = body.get("instance_pool_name")
        listed: list[dict[str, Any]] = self.api.do("GET", f"{_PATH}/list").get("instance_pools", [])
        same = (one for one in listed if one.get("instance_pool_name") == name)
        return next((str(one["instance_pool_id"]) for one in same), None)

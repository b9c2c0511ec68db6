"""Instance pools, kept as they were sent: the laptop has no instances to hold ready."""

from __future__ import annotations

import secrets
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist

from laketop.workspace.service import Fields, Service, route

_SET_BY_US = ("instance_pool_id", "state", "stats", "status", "default_tags", "creator_user_name")


class InstancePools(Service):
    """Pools as objects. Source: databricks-sdk, `compute.InstancePoolsAPI`."""

    @property
    def _pools(self) -> Any:
        return self.table("pools")

    @route("POST /api/2.0/instance-pools/create")
    def create(self, instance_pool_name: str, node_type_id: str, fields: Fields) -> dict[str, Any]:
        """Keep a new pool."""
        self.workspace.require_admin()
        self._check_name(instance_pool_name, None)
        pool_id = f"pool-{secrets.token_hex(6)}"
        own = {name: value for name, value in fields.items() if name not in _SET_BY_US}
        self._pools[pool_id] = {
            **own,
            "node_type_id": node_type_id,
            "instance_pool_id": pool_id,
            "creator_user_name": self.workspace.user,
        }
        return {"instance_pool_id": pool_id}

    @route("GET /api/2.0/instance-pools/get")
    def get(self, instance_pool_id: str) -> dict[str, Any]:
        """Return a pool."""
        kept = self.existing(instance_pool_id)
        self.workspace.permissions.require("instance-pools", instance_pool_id, "CAN_ATTACH_TO")
        return _shown(kept)

    @route("GET /api/2.0/instance-pools/list")
    def list(self) -> dict[str, Any]:
        """Return the pools that the caller may attach to."""
        allows = self.workspace.permissions.allows
        found = self._pools.items()
        seen = [p for i, p in found if allows("instance-pools", i, "CAN_ATTACH_TO")]
        return {"instance_pools": [_shown(one) for one in seen]}

    @route("POST /api/2.0/instance-pools/edit")
    def edit(self, instance_pool_id: str, fields: Fields) -> None:
        """Change a pool; its type of node stays."""
        kept = self.existing(instance_pool_id)
        self.workspace.permissions.require("instance-pools", instance_pool_id, "CAN_MANAGE")
        if fields.get("node_type_id", kept["node_type_id"]) != kept["node_type_id"]:
            raise InvalidParameterValue("The node_type_id of a pool cannot be changed.")
        name = fields.get("instance_pool_name", kept["instance_pool_name"])
        if not isinstance(name, str):
            raise InvalidParameterValue("instance_pool_name is not a string.")
        self._check_name(name, instance_pool_id)
        own = {name: value for name, value in fields.items() if name not in _SET_BY_US}
        self._pools[instance_pool_id] = {**kept, **own}

    @route("POST /api/2.0/instance-pools/delete")
    def delete(self, instance_pool_id: str) -> None:
        """Forget a pool."""
        self.existing(instance_pool_id)
        self.workspace.permissions.require("instance-pools", instance_pool_id, "CAN_MANAGE")
        del self._pools[instance_pool_id]
        self.workspace.permissions.forget("instance-pools", instance_pool_id)

    def existing(self, pool_id: str) -> dict[str, Any]:
        """Return a pool whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        found: dict[str, Any] | None = self._pools.get(pool_id)
        if found is None:
            raise ResourceDoesNotExist(f"Can't find an instance pool with id: {pool_id[:100]}.")
        return found

    def _check_name(self, name: str, own: str | None) -> None:
        if not 0 < len(name) <= 100:
            raise InvalidParameterValue("A pool's name has 1 to 100 characters.")
        for pool_id, pool in self._pools.items():
            if pool["instance_pool_name"] == name and pool_id != own:
                raise InvalidParameterValue(f"An instance pool named {name} exists already.")


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    none = {"used_count": 0, "idle_count": 0, "pending_used_count": 0, "pending_idle_count": 0}
    told = {name: value for name, value in kept.items() if name != "creator_user_name"}
    return {**told, "state": "ACTIVE", "stats": none, "status": {}}

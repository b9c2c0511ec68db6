"""SQL warehouses: names for the one warm engine, with a state that start and stop change."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.sql import (
    CreateWarehouseRequestWarehouseType,
    GetWorkspaceWarehouseConfigResponse,
)

from laketop.workspace import wire
from laketop.workspace.kept import fields_of
from laketop.workspace.service import Fields, Request, Service, route

_KEPT = (
    *("name", "cluster_size", "warehouse_type", "auto_stop_mins", "channel", "tags"),
    *("enable_photon", "enable_serverless_compute", "min_num_clusters", "max_num_clusters"),
    *("spot_instance_policy",),
)
_TYPED = {"tags": wire.converter(dict[str, Any]), "enable_serverless_compute": wire.converter(bool)}
"""What usage is told by, so that it has to be of its type."""
_CONFIG: dict[str, Any] = {
    "security_policy": "DATA_ACCESS_CONTROL",
    "enable_serverless_compute": True,
    "enabled_warehouse_types": [
        {"warehouse_type": "CLASSIC", "enabled": True},
        {"warehouse_type": "PRO", "enabled": True},
    ],
}
"""What holds for all warehouses from the start."""
_REACHING = (
    *("config_param", "data_access_config", "global_param", "google_service_account"),
    *("instance_profile_arn", "sql_configuration_parameters"),
)
_SIZES = (
    *("2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large"),
    *("2X-Large", "3X-Large", "4X-Large", "5X-Large"),
)
_FIRST = "Serverless Starter Warehouse"


class Warehouses(Service):
    """SQL warehouses; every one of them is the engine of this laptop.

    Source: databricks-sdk, `sql.WarehousesAPI`.
    """

    def start(self) -> None:
        """Make the warehouse that every new workspace has."""
        with self.store.transaction(write=True):
            if not self._warehouses:
                first = self._add({"name": _FIRST, "enable_serverless_compute": True})
                self._warehouses[first] = {**self._warehouses[first], "for_everybody": True}

    @property
    def _warehouses(self) -> Any:
        return self.table("warehouses")

    @route("POST /api/2.0/sql/warehouses")
    def create(self, fields: Fields) -> dict[str, Any]:
        """Make a warehouse."""
        self._check_name(fields.get("name"), None)
        self._check_type(fields.get("warehouse_type") or "PRO")
        _check_size(fields.get("cluster_size"))
        return {"id": self._add(fields)}

    @route("GET /api/2.0/sql/warehouses")
    def list(self, request: Request) -> dict[str, Any]:
        """Return the warehouses that the caller may see."""
        allows = self.workspace.permissions.allows
        seen = [w for w in self._warehouses.values() if allows("warehouses", w["id"], "CAN_VIEW")]
        return {"warehouses": [self._shown(one, request) for one in seen]}

    @route("GET /api/2.0/sql/warehouses/{id}")
    def get(self, id: str, request: Request) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Return a warehouse."""
        self._require(id, "CAN_VIEW")
        return self._shown(self.existing(id), request)

    @route("POST /api/2.0/sql/warehouses/{id}/edit")
    def edit(self, id: str, fields: Fields) -> None:  # noqa: A002 - the wire's name
        """Change a warehouse."""
        self._require(id, "CAN_MANAGE")
        kept = self.existing(id)
        self._check_type(fields.get("warehouse_type") or "PRO")
        self._check_name(fields.get("name", kept["name"]), id)
        _check_size(fields.get("cluster_size"))
        self._warehouses[id] = {**kept, **_own(fields)}

    @route("DELETE /api/2.0/sql/warehouses/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the wire's name
        """Forget a warehouse."""
        self._require(id, "CAN_MANAGE")
        del self._warehouses[id]
        self.workspace.permissions.forget("warehouses", id)

    @route("POST /api/2.0/sql/warehouses/{id}/start")
    def start_warehouse(self, id: str) -> None:  # noqa: A002 - the wire's name
        """Let a warehouse run."""
        self._require(id, "CAN_USE")
        self._warehouses[id] = {**self.existing(id), "state": "RUNNING"}

    @route("POST /api/2.0/sql/warehouses/{id}/stop")
    def stop(self, id: str) -> None:  # noqa: A002 - the wire's name
        """Stop a warehouse; the next statement starts it."""
        self._require(id, "CAN_MANAGE")
        self._warehouses[id] = {**self.existing(id), "state": "STOPPED"}

    @route("GET /api/2.0/sql/config/warehouses")
    def get_workspace_warehouse_config(self) -> dict[str, Any]:
        """Return what holds for all warehouses."""
        found: dict[str, Any] = self.table("config").get("config", _CONFIG)
        return found

    @route("PUT /api/2.0/sql/config/warehouses")
    def set_workspace_warehouse_config(self, fields: Fields) -> None:
        """Replace what holds for all warehouses: the types that can be made, and the channel.

        Errors: NotImplemented for what would have to reach the engine.
        """
        self.workspace.require_admin()
        sent = fields_of(GetWorkspaceWarehouseConfigResponse, fields)
        for field in _REACHING:
            value = sent.get(field)
            if any(value.values()) if isinstance(value, dict) else value:
                raise NotServed(f"laketop's engine takes no {field} from a warehouse.")
        if sent.get("security_policy", "DATA_ACCESS_CONTROL") != "DATA_ACCESS_CONTROL":
            raise NotServed("laketop's warehouses have the security_policy DATA_ACCESS_CONTROL.")
        self.table("config")["config"] = {**_CONFIG, **sent}

    def every(self) -> dict[str, dict[str, Any]]:
        """Return all warehouses by their ids, inside a transaction."""
        return dict(self._warehouses.items())

    def existing(self, name: str) -> dict[str, Any]:
        """Return a warehouse by its id, inside a transaction.

        Errors: ResourceDoesNotExist.
        """
        found: dict[str, Any] | None = self._warehouses.get(name)
        if found is None:
            raise ResourceDoesNotExist(f"SQL warehouse {name} does not exist.")
        return found

    def standing_for(self, name: str) -> dict[str, Any]:
        """Return the warehouse of an id, else the first one; inside a transaction.

        Errors: ResourceDoesNotExist where there is none at all.
        """
        first = next(iter(self._warehouses.values()), {"id": name})
        found: dict[str, Any] = self._warehouses.get(name) or self.existing(first["id"])
        return found

    def use(self, name: str) -> dict[str, Any]:
        """Return a warehouse that the caller may use; inside a transaction."""
        self._require(name, "CAN_USE")
        return self.existing(name)

    def _require(self, name: str, level: str) -> None:
        self.existing(name)
        self.workspace.permissions.require("warehouses", name, level)

    def _add(self, sent: dict[str, Any]) -> str:
        name = uuid.uuid4().hex[:16]
        defaults = {"cluster_size": "Small", "warehouse_type": "PRO", "auto_stop_mins": 10}
        state = {"state": "RUNNING", "creator_name": self.workspace.user}
        self._warehouses[name] = {**defaults, **_own(sent), **state, "id": name}
        return name

    def _check_type(self, type_: Any) -> None:
        wire.converter(CreateWarehouseRequestWarehouseType)("warehouse_type", type_)
        listed = self.get_workspace_warehouse_config()["enabled_warehouse_types"]
        if any(one.get("warehouse_type") == type_ and not one.get("enabled") for one in listed):
            raise InvalidParameterValue(f"Warehouses of the type {type_} are not enabled.")

    def _check_name(self, name: str | None, own: str | None) -> None:
        if not name:
            raise InvalidParameterValue("Missing required field: name")
        if any(w["name"] == name and w["id"] != own for w in self._warehouses.values()):
            raise InvalidParameterValue(f"SQL warehouse with name `{name}` already exists")

    def _shown(self, kept: dict[str, Any], request: Request) -> dict[str, Any]:
        host, _, port = request.host.removeprefix("http://").rpartition(":")
        runs = kept["state"] == "RUNNING"
        return {
            **{name: value for name, value in kept.items() if name != "for_everybody"},
            "num_clusters": int(runs),
            "num_active_sessions": 0,
            "health": {"status": "HEALTHY"} if runs else {},
            "odbc_params": {
                "hostname": host,
                "path": f"/sql/1.0/warehouses/{kept['id']}",
                "port": int(port),
                "protocol": "http",
            },
        }


def _own(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a warehouse. Errors: InvalidParameterValue for another type."""
    own = {name: value for name, value in sent.items() if name in _KEPT}
    typed = {
        name: convert(name, own[name])
        for name, convert in _TYPED.items()
        if own.get(name) is not None
    }
    return {**own, **typed}


def _check_size(size: Any) -> None:
    if size is not None and size not in _SIZES:
        shown, sizes = str(size)[:100], ", ".join(_SIZES)
        raise InvalidParameterValue(f"{shown!r} is no cluster_size: it is one of {sizes}.")

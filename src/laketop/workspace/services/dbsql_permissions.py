"""Permissions on queries and alerts, by the older of their two APIs."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.kept import Record
from laketop.workspace.service import Service, route

_SINGULAR = {"queries": "query", "alerts": "alert"}
_KINDS = ("user_name", "group_name")


class DbsqlPermissions(Service):
    """The `permissions` of queries and alerts.

    Source: databricks-sdk, `sql.DbsqlPermissionsAPI`.
    """

    @route("GET /api/2.0/preview/sql/permissions/{object_type}/{object_id}")
    def get(self, object_type: str, object_id: str) -> Record:
        """Return who may do what with an object."""
        self._existing(object_type, object_id)
        told = self.workspace.permissions.get(object_type, object_id)
        listed = [
            {kind: one[kind], "permission_level": one["all_permissions"][0]["permission_level"]}
            for one in told["access_control_list"]
            for kind in _KINDS
            if kind in one
        ]
        return {
            "object_type": _SINGULAR[object_type],
            "object_id": f"{object_type}/{object_id}",
            "access_control_list": listed,
        }

    @route("POST /api/2.0/preview/sql/permissions/{object_type}/{object_id}")
    def set(
        self,
        object_type: str,
        object_id: str,
        access_control_list: list[dict[str, Any]] | None = None,
    ) -> Record:
        """Replace the permissions of an object."""
        self._existing(object_type, object_id)
        self.workspace.permissions.set(object_type, object_id, access_control_list)
        return self.get(object_type, object_id)

    @route("POST /api/2.0/preview/sql/permissions/{object_type}/{object_id}/transfer")
    def transfer_ownership(
        self, object_type: str, object_id: str, new_owner: str
    ) -> dict[str, str]:
        """Give an object to another user, who may manage it."""
        self.workspace.require_admin()
        plurals = {singular: plural for plural, singular in _SINGULAR.items()}
        plural = plurals.get(object_type, object_type)
        self._existing(plural, object_id)
        if self.workspace.principals.find(new_owner) is None:
            raise InvalidParameterValue(f"The user {new_owner[:200]!r} does not exist.")
        self._service(plural).give(object_id, new_owner)
        entry = {"user_name": new_owner, "permission_level": "CAN_MANAGE"}
        self.workspace.permissions.update(plural, object_id, [entry])
        return {"message": "Success"}

    def _existing(self, object_type: str, object_id: str) -> None:
        self._service(object_type).existing(object_id)

    def _service(self, object_type: str) -> Any:
        if object_type not in _SINGULAR:
            raise NotServed(f"laketop keeps no such permissions of {object_type[:50]!r}.")
        return self.workspace.services[object_type]

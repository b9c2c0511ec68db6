"""Permissions, which follow the resource that they are on."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import told_at
from laketop.workspace.deployment.kind import Body, Kind

OBJECTS = {
    "jobs": "jobs",
    "experiments": "experiments",
    "models": "registered-models",
    "alerts": "alertsv2",
    "apps": "apps",
    "clusters": "clusters",
    "dashboards": "dashboards",
    "database_instances": "database-instances",
    "instance_pools": "instance-pools",
    "pipelines": "pipelines",
    "sql_warehouses": "warehouses",
    "model_serving_endpoints": "serving-endpoints",
}
"""The words of the permissions API for the types that it knows by their ids."""
ID_FIELDS = {"model_serving_endpoints": "serving_endpoint_id", "models": "model_id"}
"""The fields that hold those, where they are not the ids of the deployment."""

_PRINCIPALS = ("user_name", "group_name", "service_principal_name")


class Permissions(Kind):
    """Who may do what with one resource; the id is `jobs/42`.

    A body is `{"permissions": [{user_name, permission_level}]}`; what is inherited does not count.
    """

    def create(self, body: Body) -> str:
        """Replace the permissions of the object that `body` names."""
        self._set(str(body["object"]), body)
        return str(body["object"])

    def read(self, id_: str) -> Body | None:
        """Return the object's own permissions, None if it is gone."""
        told = told_at(self.api, f"/api/2.0/permissions/{id_}")
        if told is None:
            return None
        found = []
        for entry in told.get("access_control_list") or ():
            who = next((name for name in _PRINCIPALS if entry.get(name)), None)
            own = [one for one in entry.get("all_permissions") or () if not one.get("inherited")]
            if who is not None and own:
                found.append({who: entry[who], "permission_level": own[0]["permission_level"]})
        return {"object": id_, "permissions": sorted(found, key=_principal)}

    def update(self, id_: str, body: Body, now: Body) -> None:  # noqa: ARG002 - all is replaced
        """Replace the permissions."""
        self._set(id_, body)

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - no data
        """Leave the owner, or whoever manages it, alone with the object; fine if it is gone."""
        now = self.read(id_)
        strongest = {"IS_OWNER"} if id_.startswith(("jobs/", "pipelines/")) else set()
        left = [
            one
            for one in (now or {}).get("permissions", ())
            if one["permission_level"] in strongest
        ]
        if now is not None:
            self._set(id_, {"permissions": left})

    def find(self, body: Body) -> str | None:  # noqa: ARG002 - every object has some
        """Return None: permissions are set, not made."""
        return None

    def _set(self, id_: str, body: Body) -> None:
        entries = [dict(entry) for entry in body["permissions"]]
        path = f"/api/2.0/permissions/{id_}"
        self.api.do("PUT", path, body={"access_control_list": entries})


def body_of(type_: str, key: str, entries: tuple[Body, ...]) -> dict[str, Any]:
    """Return the body of the permissions of a resource whose id there is `key`."""
    return {
        "object": f"{OBJECTS[type_]}/{key}",
        "permissions": sorted((dict(entry) for entry in entries), key=_principal),
    }


def _principal(entry: Body) -> tuple[str, ...]:
    return tuple(str(entry.get(name) or "") for name in _PRINCIPALS)

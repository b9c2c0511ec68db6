"""Who may do what with jobs, experiments, endpoints, notebooks and folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.service import Service, route

_PRINCIPALS = ("user_name", "group_name", "service_principal_name")
_FILES = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
LEVELS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"),
    "experiments": ("CAN_READ", "CAN_EDIT", "CAN_MANAGE"),
    "serving-endpoints": ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"),
    "directories": _FILES,
    "notebooks": _FILES,
    "files": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
}
"""The levels that each type of object takes, the strongest last."""
_SINGULAR = {"directories": "directory", "serving-endpoints": "serving-endpoint"}
_OWNED = "jobs"


class Permissions(Service):
    """Permissions, kept and told; nothing is denied by them yet. Source: workspace-api 3.8.

    The creator of an object holds the strongest level until somebody says otherwise.
    """

    schema = (
        """CREATE TABLE IF NOT EXISTS permissions (
            object_type TEXT NOT NULL,
            object_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            principal TEXT NOT NULL,
            level TEXT NOT NULL,
            PRIMARY KEY (object_type, object_id, kind, principal)
        ) WITHOUT ROWID""",
    )

    @route("GET /api/2.0/permissions/{object_type}/{object_id}", hold="check")
    def get(self, object_type: str, object_id: str) -> dict[str, Any]:
        """Return who may do what with an object."""
        held = self._held(object_type, object_id) or self._first(object_type, object_id)
        return {
            "object_id": f"/{object_type}/{object_id}",
            "object_type": _SINGULAR.get(object_type, object_type.removesuffix("s")),
            "access_control_list": [
                {
                    kind: principal,
                    "all_permissions": [{"permission_level": level, "inherited": False}],
                }
                for (kind, principal), level in sorted(held.items())
            ],
        }

    @route("PUT /api/2.0/permissions/{object_type}/{object_id}", hold="check")
    def set(
        self,
        object_type: str,
        object_id: str,
        access_control_list: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Replace the permissions of an object."""
        self._keep(object_type, object_id, _entries(object_type, access_control_list))
        return self.get(object_type, object_id)

    @route("PATCH /api/2.0/permissions/{object_type}/{object_id}", hold="check")
    def update(
        self,
        object_type: str,
        object_id: str,
        access_control_list: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Give principals other levels; a new owner of a job takes the place of the old one."""
        held = self._held(object_type, object_id) or self._first(object_type, object_id)
        given = _entries(object_type, access_control_list)
        if "IS_OWNER" in given.values():
            held = {who: level for who, level in held.items() if level != "IS_OWNER"}
        self._keep(object_type, object_id, {**held, **given})
        return self.get(object_type, object_id)

    @route("GET /api/2.0/permissions/{object_type}/{object_id}/permissionLevels", hold="check")
    def get_permission_levels(self, object_type: str, object_id: str) -> dict[str, Any]:  # noqa: ARG002 - every object of a type takes the same
        """Return the levels that an object takes."""
        return {
            "permission_levels": [
                {"permission_level": level, "description": f"{level} on {object_type}"}
                for level in LEVELS[object_type]
            ]
        }

    async def check(self, object_type: str, object_id: str, **_others: Any) -> None:
        """Check before the transaction that the object is there: MLflow takes its time."""
        if object_type not in LEVELS:
            raise NotServed(f"laketop keeps no permissions of the type {object_type[:50]!r}.")
        await anyio.to_thread.run_sync(self._check, object_type, object_id)

    def _check(self, object_type: str, object_id: str) -> None:
        if object_type == "experiments":
            self._experiment(object_id)
            return
        with self.store.transaction(write=False):
            if object_type == "jobs":
                self._job(object_id)
            elif object_type == "serving-endpoints":
                self._endpoint(object_id)
            elif not self.workspace.workspace.has_object(object_id, object_type):
                raise _absent(object_type, object_id)

    def _job(self, object_id: str) -> dict[str, Any]:
        if not object_id.isdecimal():
            raise _absent("jobs", object_id)
        try:
            job: dict[str, Any] = self.workspace.jobs.get(int(object_id))
        except InvalidParameterValue as error:
            raise _absent("jobs", object_id) from error
        return job

    def _endpoint(self, object_id: str) -> dict[str, Any]:
        for endpoint in self.workspace.serving_endpoints.list()["endpoints"]:
            if endpoint["id"] == object_id:
                return dict(endpoint)
        raise _absent("serving-endpoints", object_id)

    def _experiment(self, object_id: str) -> None:
        tracking = self.workspace.mlflow.parts().backend.tracking
        from mlflow.exceptions import MlflowException

        try:
            tracking.get_experiment(object_id)
        except MlflowException as error:
            raise _absent("experiments", object_id) from error

    def _held(self, object_type: str, object_id: str) -> dict[tuple[str, str], str]:
        rows = self.store.execute(
            "SELECT kind, principal, level FROM permissions"
            " WHERE object_type = ? AND object_id = ?",
            (object_type, object_id),
        )
        return {(kind, principal): level for kind, principal, level in rows}

    def _first(self, object_type: str, object_id: str) -> dict[tuple[str, str], str]:
        """Return what holds before anybody says otherwise: the creator has it all."""
        creator = self.workspace.settings.user
        if object_type == "jobs":
            creator = self._job(object_id)["creator_user_name"]
        elif object_type == "serving-endpoints":
            creator = self._endpoint(object_id).get("creator") or creator
        return {("user_name", creator): LEVELS[object_type][-1]}

    def _keep(self, object_type: str, object_id: str, held: Mapping[tuple[str, str], str]) -> None:
        owners = [who for who, level in held.items() if level == "IS_OWNER"]
        if object_type == _OWNED and len(owners) != 1:
            raise InvalidParameterValue("The job must have exactly one owner.")
        self.store.execute(
            "DELETE FROM permissions WHERE object_type = ? AND object_id = ?",
            (object_type, object_id),
        )
        for (kind, principal), level in held.items():
            self.store.execute(
                "INSERT INTO permissions (object_type, object_id, kind, principal, level)"
                " VALUES (?, ?, ?, ?, ?)",
                (object_type, object_id, kind, principal, level),
            )


def _entries(object_type: str, sent: list[dict[str, Any]] | None) -> dict[tuple[str, str], str]:
    given: dict[tuple[str, str], str] = {}
    for entry in sent or ():
        named = [kind for kind in _PRINCIPALS if entry.get(kind)]
        if len(named) != 1 or not isinstance(entry[named[0]], str):
            raise InvalidParameterValue(f"An entry names one of {', '.join(_PRINCIPALS)}.")
        level = entry.get("permission_level")
        if level not in LEVELS[object_type]:
            raise InvalidParameterValue(
                f"The permission level {level!r} is not one of {object_type}:"
                f" {', '.join(LEVELS[object_type])}."
            )
        given[named[0], entry[named[0]]] = level
    return given


def _absent(object_type: str, object_id: str) -> ResourceDoesNotExist:
    kind = _SINGULAR.get(object_type, object_type.removesuffix("s"))
    return ResourceDoesNotExist(f"{kind.capitalize()} {object_id[:100]} does not exist.")

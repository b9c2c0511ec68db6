"""Who may do what with jobs, experiments, endpoints, notebooks, folders, warehouses, compute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace import objects
from laketop.workspace.principals import ADMINS, USERS
from laketop.workspace.service import Service, route

_PRINCIPALS = ("user_name", "group_name", "service_principal_name")
_FILES = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
_SAVED = ("CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
LEVELS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"),
    "experiments": ("CAN_READ", "CAN_EDIT", "CAN_MANAGE"),
    "serving-endpoints": ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"),
    "warehouses": ("CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"),
    "clusters": ("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"),
    "cluster-policies": ("CAN_USE",),
    "instance-pools": ("CAN_ATTACH_TO", "CAN_MANAGE"),
    "repos": _FILES,
    "queries": _SAVED,
    "alerts": _SAVED,
    "alertsv2": _FILES,
    "apps": ("CAN_USE", "CAN_MANAGE"),
    "authorization": ("CAN_USE",),
    "dashboards": _FILES,
    "database-instances": ("CAN_USE", "CAN_MANAGE"),
    "pipelines": ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"),
    "registered-models": (
        *("CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS"),
        *("CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE"),
    ),
    "directories": _FILES,
    "notebooks": _FILES,
    "files": _FILES,
}
"""The levels that each type of object takes, the strongest last."""
_SINGULAR = {
    "alertsv2": "alertv2",
    "authorization": "tokens",
    "cluster-policies": "cluster-policy",
    "directories": "directory",
    "queries": "query",
    "serving-endpoints": "serving-endpoint",
}
_TREE = ("directories", "notebooks", "files")
_OWNED = ("jobs", "warehouses", "pipelines")
_CREATOR_FIELDS = {
    "repos": "creator_user_name",
    "clusters": "creator_user_name",
    "cluster-policies": "creator_user_name",
    "instance-pools": "creator_user_name",
    "warehouses": "creator_name",
    "queries": "owner_user_name",
    "alerts": "owner_user_name",
    "alertsv2": "owner_user_name",
    "apps": "creator",
    "dashboards": "creator_user_name",
    "database-instances": "creator",
    "pipelines": "creator_user_name",
    "registered-models": "user_id",
}
"""Services that keep their objects' creators, by the name of the field."""

_SERVICES = {
    "alertsv2": "alerts_v2",
    "dashboards": "lakeview",
    "database-instances": "database",
    "registered-models": "model_registry",
}
"""The services of objects that are not called as they are."""

Held = dict[tuple[str, str], str]
"""The level of each principal, which is a kind and a name."""
_Inherited = tuple[tuple[str, str], str, str]
"""A principal, a level, and the folder that it is of."""
_ELSEWHERE = {
    "dbsql-dashboards": "dashboards are those of w.lakeview, of the type dashboards",
    "vector-search-endpoints": "there is no vector search here",
}
"""Types of Databricks' of which there are no objects, and why."""


class Permissions(Service):
    """Permissions, which the services ask before they act. Source: workspace-api 3.8.

    The creator of an object holds the strongest level until somebody says otherwise; what holds
    for a folder holds for all below it; admins may do everything.
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
        self.require(object_type, object_id, LEVELS[object_type][0])
        held = self._held(object_type, object_id) or self._first(object_type, object_id)
        told = {
            who: [{"permission_level": level, "inherited": False}] for who, level in held.items()
        }
        for who, level, folder in self._inherited(object_type, object_id):
            above = f"/directories/{objects.number_of(folder)}"
            more = {"permission_level": level, "inherited": True, "inherited_from_object": [above]}
            told.setdefault(who, []).append(more)
        return {
            "object_id": f"/{object_type}/{object_id}",
            "object_type": _SINGULAR.get(object_type, object_type.removesuffix("s")),
            "access_control_list": [
                {kind: principal, "all_permissions": levels}
                for (kind, principal), levels in sorted(told.items())
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
        self._require_manager(object_type, object_id)
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
        self._require_manager(object_type, object_id)
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

    def _inherited(self, object_type: str, object_id: str) -> Iterator[_Inherited]:
        """Yield who has what level on an object by which folder above it."""
        path = self._path_of(object_type, object_id)
        for folder in [*_ancestors(path)][1:] if path else ():
            for who, level in self._on_place(folder).items():
                as_here = level if level in LEVELS[object_type] else "CAN_READ"
                yield who, as_here, folder

    def _path_of(self, object_type: str, object_id: str) -> str | None:
        if object_type in _TREE:
            return self.workspace.workspace.path_of(object_id, object_type)  # type: ignore[no-any-return]  # by name
        if object_type == "repos":
            return str(self.workspace.repos.existing(object_id)["path"])
        if object_type == "experiments":
            found = self.workspace.mlflow.parts().backend.tracking.get_experiment(object_id)
            return str(found.name).removeprefix("/Workspace")
        return None

    def begin(self, object_type: str, object_id: str) -> None:
        """Write down that the caller has made an object, where nothing else keeps that."""
        if self.workspace.user != self.workspace.settings.user:  # whose all is that nobody made
            with self.store.transaction(write=True):
                creator = self._named(self.workspace.user)
                self._keep(object_type, object_id, {creator: LEVELS[object_type][-1]})

    def _require_manager(self, object_type: str, object_id: str) -> None:
        if "CAN_MANAGE" in LEVELS[object_type]:
            self.require(object_type, object_id, "CAN_MANAGE")
        else:
            self.workspace.require_admin()

    def allows(self, object_type: str, object_id: str, level: str) -> bool:
        """Tell whether the caller has at least a level on an object that is there."""
        if self.workspace.is_admin:
            return True
        with self.store.reading():
            if object_type in _TREE:
                path = self.workspace.workspace.path_of(object_id, object_type)
                return path is None or self.allows_path(path, level)
            held = self._held(object_type, object_id) or self._first(object_type, object_id)
            return self._reaches(held, LEVELS[object_type], level)

    def level_of_caller(self, object_type: str, object_id: str) -> str | None:
        """Return the strongest level that the caller has on an object that is there."""
        levels = reversed(LEVELS[object_type])
        return next((one for one in levels if self.allows(object_type, object_id, one)), None)

    def require(self, object_type: str, object_id: str, level: str) -> None:
        """Let only callers pass who have at least a level. Errors: PermissionDenied."""
        if not self.allows(object_type, object_id, level):
            kind = _SINGULAR.get(object_type, object_type.removesuffix("s"))
            raise _denied(self.workspace.user, level, f"{kind} {object_id}")

    def allows_path(self, path: str, level: str) -> bool:
        """Tell whether the caller has a level on a place of the tree, itself or by a folder above.

        Everybody may manage the own home folder and what is shared, and see the folders above.
        """
        if self.workspace.is_admin or (path in {"/", "/Users", "/Repos"} and level == "CAN_READ"):
            return True
        with self.store.reading():
            return any(
                self._reaches(self._on_place(place), _FILES, level) for place in _ancestors(path)
            )

    def require_path(self, path: str, level: str) -> None:
        """Let only callers pass who have a level on a place. Errors: PermissionDenied."""
        if not self.allows_path(path, level):
            raise _denied(self.workspace.user, level, path)

    def forget(self, object_type: str, object_id: str) -> None:
        """Forget what was said of an object that is gone."""
        self.store.execute(
            "DELETE FROM permissions WHERE object_type = ? AND object_id = ?",
            (object_type, object_id),
        )

    def forget_places(self, paths: Iterable[str]) -> None:
        """Forget what was said of places of the tree where nothing is any more."""
        for path in paths:
            for object_type in _TREE:
                self.forget(object_type, str(objects.number_of(path)))

    def _on_place(self, path: str) -> Held:
        held: Held = {}
        number = str(objects.number_of(path))
        for object_type in _TREE:
            held |= self._held(object_type, number)
        names = path.strip("/").split("/")
        if names == ["Shared"]:
            held = {("group_name", USERS): "CAN_MANAGE", **held}
        if len(names) == 2 and names[0] in {"Users", "Repos"}:
            kinds = ("user_name", "service_principal_name")
            held = {**held, **{(kind, names[1]): "CAN_MANAGE" for kind in kinds}}
        return held

    def _reaches(self, held: Held, order: tuple[str, ...], level: str) -> bool:
        wanted = order.index(level)
        groups = self.workspace.groups_of_caller()
        return any(
            order.index(has) >= wanted
            for (kind, principal), has in held.items()
            if (principal in groups if kind == "group_name" else principal == self.workspace.user)
        )

    async def check(self, object_type: str, object_id: str, **_others: Any) -> None:
        """Check before the transaction that the object is there: MLflow takes its time."""
        if object_type not in LEVELS:
            why = f": {_ELSEWHERE[object_type]}" if object_type in _ELSEWHERE else ""
            raise NotServed(f"laketop keeps no permissions of the type {object_type[:50]!r}{why}.")
        await anyio.to_thread.run_sync(self._check, object_type, object_id)

    def _check(self, object_type: str, object_id: str) -> None:
        if object_type == "experiments":
            self._experiment(object_id)
            return
        with self.store.transaction(write=False):
            if object_type in _TREE:
                if self.workspace.workspace.path_of(object_id, object_type) is None:
                    raise _absent(object_type, object_id)
            else:
                self._first(object_type, object_id)

    def _job_creator(self, object_id: str) -> str:
        if not object_id.isdecimal():
            raise _absent("jobs", object_id)
        try:
            return str(self.workspace.jobs.creator_of(int(object_id)))
        except InvalidParameterValue as error:
            raise _absent("jobs", object_id) from error

    def _endpoint_creator(self, object_id: str) -> str | None:
        for endpoint in self.workspace.serving_endpoints.every():
            if endpoint["id"] == object_id:
                return str(endpoint["creator"]) if endpoint.get("creator") else None
        raise _absent("serving-endpoints", object_id)

    def _experiment(self, object_id: str) -> None:
        tracking = self.workspace.mlflow.parts().backend.tracking
        from mlflow.exceptions import MlflowException

        try:
            tracking.get_experiment(object_id)
        except MlflowException as error:
            raise _absent("experiments", object_id) from error

    def _held(self, object_type: str, object_id: str) -> Held:
        rows = self.store.execute(
            "SELECT kind, principal, level FROM permissions"
            " WHERE object_type = ? AND object_id = ?",
            (object_type, object_id),
        )
        return {(kind, principal): level for kind, principal, level in rows}

    def _first(self, object_type: str, object_id: str) -> Held:
        """Return what holds before anybody says otherwise: the creator has it all.

        Errors: ResourceDoesNotExist for an object that is not there.
        """
        if object_type == "authorization":
            if object_id != "tokens":
                raise NotServed(f"laketop keeps no permissions on {object_id[:50]!r}.")
            return {("group_name", USERS): "CAN_USE"}
        creator, more = self.workspace.settings.user, {}
        if object_type == "jobs":
            creator = self._job_creator(object_id)
        elif object_type == "serving-endpoints":
            creator = self._endpoint_creator(object_id) or creator
        elif object_type in _CREATOR_FIELDS:
            service = _SERVICES.get(object_type, object_type.replace("-", "_"))
            kept = self.workspace.services[service].existing(object_id)  # type: ignore[attr-defined]  # by name
            creator = kept.get(_CREATOR_FIELDS[object_type]) or creator
            if kept.get("for_everybody"):
                more = {("group_name", USERS): "CAN_USE"}
        return {self._named(creator): LEVELS[object_type][-1], **more}

    def _named(self, name: str) -> tuple[str, str]:
        robot = self.workspace.principals.id_of("ServicePrincipals", name) is not None
        return ("service_principal_name" if robot else "user_name"), name

    def _keep(self, object_type: str, object_id: str, held: Mapping[tuple[str, str], str]) -> None:
        if object_type == "authorization":  # whoever is left out, somebody is left
            held = {("group_name", ADMINS): "CAN_USE", **held}
        owners = [who for who, level in held.items() if level == "IS_OWNER"]
        if object_type in _OWNED and len(owners) != 1:
            kind = object_type.removesuffix("s")
            raise InvalidParameterValue(f"The {kind} must have exactly one owner.")
        if any(kind == "group_name" for kind, _ in owners):
            raise InvalidParameterValue("Groups can not be owners.")
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


def _entries(object_type: str, sent: list[dict[str, Any]] | None) -> Held:
    given: Held = {}
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


def _denied(user: str, level: str, what: str) -> PermissionDenied:
    return PermissionDenied(f"User {user} does not have {level} permission on {what[:200]}.")


def _ancestors(path: str) -> Iterator[str]:
    """Yield a path and every folder above it, but for the root."""
    names = path.strip("/").split("/")
    for length in range(len(names), 0, -1):
        yield "/" + "/".join(names[:length])

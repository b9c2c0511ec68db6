"""Who there is: users, groups and service principals, and who is a member of which group."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceConflict,
)

from laketop.workspace.scim import Resource
from laketop.workspace.store import Shared, Store

Kind = Literal["Users", "Groups", "ServicePrincipals"]

ADMINS, USERS = "admins", "users"
ENGINE = "laketop"
"""Whom the engine's own statements run as, which alone may write the shared catalogs."""
RESERVED = {ENGINE, "account users"}
SCHEMA = (
    """CREATE TABLE IF NOT EXISTS principals (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (kind, name)
    )""",
    """CREATE TABLE IF NOT EXISTS group_members (
        group_id INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
        member_id INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
        PRIMARY KEY (group_id, member_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS group_members_by_member ON group_members (member_id)",
)
_NAMES: Mapping[Kind, str] = {
    "Users": "userName",
    "Groups": "displayName",
    "ServicePrincipals": "applicationId",
}
"""The attribute that names a principal, and that its tokens and grants speak of."""
_SINGULAR = {"Users": "User", "Groups": "Group", "ServicePrincipals": "ServicePrincipal"}
_KEPT: Mapping[Kind, tuple[str, ...]] = {
    "Users": ("displayName", "name", "active", "emails", "entitlements", "roles", "externalId"),
    "Groups": ("displayName", "entitlements", "roles", "externalId"),
    "ServicePrincipals": ("displayName", "active", "entitlements", "roles", "externalId"),
}
_LISTS = ("emails", "entitlements", "roles", "members", "groups")
_TEXTS = ("userName", "displayName", "applicationId", "externalId")
_LONGEST = 255


class Principals:
    """The principals of all workspaces; every method is inside a transaction, unless only read.

    A user is known by the e-mail address, a service principal by its application id, a group by
    its name. Whoever is made is a member of `users`; a member of `admins`, through other groups
    too, is an admin.
    """

    def __init__(self, store: Store | Shared) -> None:
        self._store = store

    def seed(self, user: str) -> None:
        """Make the two groups that are always there, and the person at the laptop, an admin."""
        for group in (ADMINS, USERS):
            if self.id_of("Groups", group) is None:
                self._insert("Groups", group, {"displayName": group})
        found = self.id_of("Users", user)
        if found is None:
            found = int(self.create("Users", {"userName": user})["id"])
        self._join(self._existing_id("Groups", ADMINS), [found])

    # --- one principal ---

    def create(self, kind: Kind, sent: Mapping[str, Any]) -> Resource:
        """Make a principal and return it.

        Errors: ResourceConflict for a name that is taken; InvalidParameterValue without a name.
        """
        body = checked(sent)
        name = str(body.get(_NAMES[kind]) or "")
        if kind == "ServicePrincipals":
            name = name or str(uuid.uuid4())
        _check_name(kind, name)
        if self.id_of(kind, name) is not None:
            what = "username" if kind == "Users" else "name" if kind == "Groups" else "id"
            raise ResourceConflict(f"{_SINGULAR[kind]} with {what} {name} already exists.")
        new = self._insert(kind, name, _first(kind, name, body))
        if kind == "Groups":
            self._set_members(new, body.get("members") or [])
        else:
            self._join(self._existing_id("Groups", USERS), [new])
            self._set_groups(new, body.get("groups") or [])
        return self.get(kind, str(new))

    def get(self, kind: Kind, id_: str) -> Resource:
        """Return a principal with its groups, a group with its members.

        Errors: NotFound.
        """
        rows = (
            self._store.execute(
                "SELECT name, body FROM principals WHERE kind = ? AND id = ?", (kind, int(id_))
            )
            if id_.isdecimal() and len(id_) < 19
            else []
        )
        if not rows:
            raise NotFound(f"{_SINGULAR[kind]} with id {id_[:50]} not found.")
        return self._shown(kind, int(id_), *rows[0])

    def all(self, kind: Kind) -> list[Resource]:
        """Return every principal of a kind, by name."""
        rows = self._store.execute(
            "SELECT id, name, body FROM principals WHERE kind = ? ORDER BY name", (kind,)
        )
        return [self._shown(kind, *row) for row in rows]

    def replace(self, kind: Kind, id_: str, sent: Mapping[str, Any]) -> Resource:
        """Replace what is known of a principal; the name of a user and its e-mails stay.

        Errors: as `get`; PermissionDenied for the name of `admins` and `users`.
        """
        old, body = self.get(kind, id_), checked(sent)
        name = old[_NAMES[kind]]
        if kind == "Groups" and body.get("displayName", name) != name:
            self._rename(old, str(body["displayName"]))
            name = body["displayName"]
        kept = {key: body[key] for key in _KEPT[kind] if key in body}
        if kind == "Users":
            kept["emails"] = old["emails"]
        self._store.execute(
            "UPDATE principals SET name = ?, body = ? WHERE id = ?",
            (name, json.dumps(_first(kind, name, kept)), int(id_)),
        )
        if kind == "Groups":
            self._set_members(int(id_), body.get("members") or [])
        return self.get(kind, id_)

    def delete(self, kind: Kind, id_: str) -> str:
        """Forget a principal and return its name.

        Errors: as `get`; PermissionDenied for `admins` and `users`.
        """
        found = self.get(kind, id_)
        name = str(found[_NAMES[kind]])
        if kind == "Groups" and name in {ADMINS, USERS}:
            raise PermissionDenied(f"The group {name} is the workspace's own, and stays.")
        self._store.execute("DELETE FROM principals WHERE id = ?", (int(id_),))
        return name

    # --- questions ---

    def id_of(self, kind: Kind, name: str) -> int | None:
        """Return the id of a principal by its name, None for an unknown one."""
        rows = self._store.execute(
            "SELECT id FROM principals WHERE kind = ? AND name = ?", (kind, name)
        )
        return int(rows[0][0]) if rows else None

    def find(self, name: str) -> tuple[Kind, Resource] | None:
        """Return the user or service principal that a token's name means."""
        for kind in ("Users", "ServicePrincipals"):
            found = self.id_of(kind, name)
            if found is not None:
                return kind, self.get(kind, str(found))
        return None

    def groups_of(self, name: str) -> set[str]:
        """Return the names of all groups of a user or service principal, through groups too."""
        rows = self._store.execute(
            """WITH RECURSIVE up (id) AS (
                SELECT id FROM principals WHERE name = ? AND kind <> 'Groups'
                UNION SELECT group_id FROM group_members JOIN up ON member_id = up.id
            ) SELECT name FROM principals JOIN up USING (id) WHERE kind = 'Groups'""",
            (name,),
        )
        return {group for (group,) in rows}

    def is_admin(self, name: str) -> bool:
        """Tell whether somebody is a member of `admins`, through groups too."""
        return ADMINS in self.groups_of(name)

    def admins(self) -> set[str]:
        """Return the names of every user and service principal who is an admin."""
        rows = self._store.execute(
            """WITH RECURSIVE down (id) AS (
                SELECT id FROM principals WHERE kind = 'Groups' AND name = ?
                UNION SELECT member_id FROM group_members JOIN down ON group_id = down.id
            ) SELECT name FROM principals JOIN down USING (id) WHERE kind <> 'Groups'""",
            (ADMINS,),
        )
        return {name for (name,) in rows}

    def members(self) -> dict[str, list[str]]:
        """Return the names of the direct members of each group."""
        rows = self._store.execute(
            "SELECT g.name, m.name FROM group_members JOIN principals g ON g.id = group_id"
            " JOIN principals m ON m.id = member_id ORDER BY g.name, m.name"
        )
        found: dict[str, list[str]] = {}
        for group, member in rows:
            found.setdefault(group, []).append(member)
        return found

    def inactive(self) -> set[str]:
        """Return the names of those who may not come in."""
        rows = self._store.execute(
            "SELECT name FROM principals WHERE kind <> 'Groups'"
            " AND json_extract(body, '$.active') = 0"
        )
        return {name for (name,) in rows}

    # --- how they are kept ---

    def _insert(self, kind: Kind, name: str, body: Mapping[str, Any]) -> int:
        new = random.SystemRandom().randrange(10**14, 10**15)
        self._store.execute(
            "INSERT INTO principals (id, kind, name, body) VALUES (?, ?, ?, ?)",
            (new, kind, name, json.dumps(body)),
        )
        return new

    def _existing_id(self, kind: Kind, name: str) -> int:
        found = self.id_of(kind, name)
        if found is None:
            raise NotFound(f"{_SINGULAR[kind]} {name} not found.")
        return found

    def _rename(self, old: Resource, name: str) -> None:
        if old["displayName"] in {ADMINS, USERS}:
            raise PermissionDenied(f"The group {old['displayName']} keeps its name.")
        _check_name("Groups", name)
        if self.id_of("Groups", name) is not None:
            raise ResourceConflict(f"Group with name {name} already exists.")

    def _join(self, group_id: int, members: Iterable[int]) -> None:
        for member in members:
            self._store.execute(
                "INSERT OR IGNORE INTO group_members (group_id, member_id) VALUES (?, ?)",
                (group_id, member),
            )

    def _set_members(self, group_id: int, members: Iterable[Mapping[str, Any]]) -> None:
        wanted = [self._principal_id(one) for one in members]
        if group_id in wanted or any(self._is_below(group_id, one) for one in wanted):
            raise InvalidParameterValue("A group cannot be a member of itself.")
        self._store.execute("DELETE FROM group_members WHERE group_id = ?", (group_id,))
        self._join(group_id, wanted)

    def _set_groups(self, member_id: int, groups: Iterable[Mapping[str, Any]]) -> None:
        for one in groups:
            group_id = self._principal_id(one)
            self.get("Groups", str(group_id))
            self._join(group_id, [member_id])

    def _is_below(self, wanted: int, group_id: int) -> bool:
        """Tell whether `wanted` is a member of a group, through groups too."""
        rows = self._store.execute(
            """WITH RECURSIVE down (id) AS (
                SELECT ? UNION SELECT member_id FROM group_members JOIN down ON group_id = down.id
            ) SELECT 1 FROM down WHERE id = ?""",
            (group_id, wanted),
        )
        return bool(rows)

    def _principal_id(self, one: Mapping[str, Any]) -> int:
        value = str(one.get("value") or "")
        known = value.isdecimal() and len(value) < 19
        if not known or not self._store.execute(
            "SELECT 1 FROM principals WHERE id = ?", (int(value),)
        ):
            raise NotFound(f"Principal with id {value[:50]} not found.")
        return int(value)

    def _shown(self, kind: Kind, id_: int, name: str, body: str) -> Resource:
        schema = f"urn:ietf:params:scim:schemas:core:2.0:{_SINGULAR[kind]}"
        shown: Resource = {"schemas": [schema], "id": str(id_), **json.loads(body)}
        shown[_NAMES[kind]] = name
        groups = self._store.execute(
            "SELECT id, name FROM principals JOIN group_members ON id = group_id"
            " WHERE member_id = ? ORDER BY name",
            (id_,),
        )
        shown["groups"] = [
            {"display": group, "type": "direct", "value": str(of), "$ref": f"Groups/{of}"}
            for of, group in groups
        ]
        if kind == "Groups":
            shown["members"] = self._members(id_)
            shown["meta"] = {"resourceType": "WorkspaceGroup"}
        return shown

    def _members(self, group_id: int) -> list[dict[str, str]]:
        rows = self._store.execute(
            "SELECT id, kind, name, body FROM principals JOIN group_members ON id = member_id"
            " WHERE group_id = ? ORDER BY name",
            (group_id,),
        )
        return [
            {
                "display": json.loads(body).get("displayName") or name,
                "value": str(of),
                "$ref": f"{kind}/{of}",
            }
            for of, kind, name, body in rows
        ]


def checked(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that were sent.

    Errors: InvalidParameterValue for one of a wrong type.
    """
    for name in _LISTS:
        value = sent.get(name)
        ok = isinstance(value, list) and all(isinstance(one, dict) for one in value)
        if value is not None and not ok:
            raise InvalidParameterValue(f"{name} is not a list of objects.")
    for name in _TEXTS:
        if sent.get(name) is not None and not isinstance(sent[name], str):
            raise InvalidParameterValue(f"{name} is not a string.")
    active = sent.get("active")
    if active is not None and not isinstance(active, bool):
        raise InvalidParameterValue("active is not true or false.")
    if sent.get("name") is not None and not isinstance(sent["name"], dict):
        raise InvalidParameterValue("name is not an object.")
    return {name: value for name, value in sent.items() if value is not None}


def _check_name(kind: Kind, name: str) -> None:
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise InvalidParameterValue(
            f"A {_SINGULAR[kind]} needs a {_NAMES[kind]} of at most {_LONGEST} characters,"
            " all of which can be printed."
        )
    if name in RESERVED:
        raise InvalidParameterValue(f"The name {name} is laketop's own.")


def _first(kind: Kind, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: body[key] for key in _KEPT[kind] if key in body}
    if kind == "Groups":
        return {"displayName": name, **kept}
    parts = kept.get("name") or {}
    whole = " ".join(str(parts[p]) for p in ("givenName", "familyName") if parts.get(p))
    display = kept.get("displayName") or whole or name.partition("@")[0]
    emails = {"emails": [{"value": name, "primary": True, "type": "work"}]}
    return {
        "active": True,
        **(emails if kind == "Users" else {}),
        **kept,
        "displayName": display,
    }

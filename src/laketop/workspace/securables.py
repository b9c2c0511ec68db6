"""Who may do what in the metastore: by ownership, by grants, or as an admin.

The engine decides the same of what is asked in SQL.
Source: Databricks docs, privileges and error classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from databricks.sdk.errors.platform import PermissionDenied

from laketop.workspace.lake import Lake, read
from laketop.workspace.privileges import ALL, APPLICABLE, Privileges

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

EVERYBODY = "account users"
_SHARED = {"system", "samples"}
"""Catalogs that everybody reads and nobody changes."""
_OPEN = {"SELECT", "USE CATALOG", "USE SCHEMA", "READ VOLUME", "EXECUTE"}
_DATA = {"SELECT", "MODIFY", "EXECUTE", "READ VOLUME", "WRITE VOLUME"}
"""What the owner of a catalog or schema has on what others made in it only by a grant."""
_METASTORE = "metastore"
_FILES = {
    "TABLE": ("owners", "views", "tables"),
    "VOLUME": ("volumes",),
    "FUNCTION": ("functions",),
}
"""Where owners are kept; those of MODEL and PROMPT are known to who asks of them."""
_GRANTED_AS = {"MODEL": "FUNCTION"}
"""What grants call a type. Of a prompt there are none but on what holds it."""


class Securables:
    """The rights of the caller on catalogs, schemas and what they hold."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lake = Lake(workspace.metastore / "catalog")
        self._privileges = Privileges(self._lake)

    def require(self, privilege: str, type_: str, name: str) -> None:
        """Let only callers pass who have a privilege on an object, and USE on what holds it.

        Errors: PermissionDenied with the first privilege that is missing.
        """
        missing = self._missing(privilege, type_, name)
        if missing is not None:
            raise PermissionDenied(f"User does not have {missing}.")

    def require_create(self, privilege: str, schema: str) -> None:
        """Let only callers pass who may make something in a schema.

        Errors: PermissionDenied with the first privilege that is missing.
        """
        if not self._owns_container(schema.split(".")):
            self.require("USE SCHEMA", "SCHEMA", schema)
        self.require(privilege, "SCHEMA", schema)

    def require_manage(self, type_: str, name: str) -> None:
        """Let only owners pass, of the object or of what holds it, and who may MANAGE it."""
        catalog = name.split(".", maxsplit=1)[0]
        if catalog in _SHARED:
            raise PermissionDenied(f"Catalog '{catalog}' is shared, and nobody changes it.")
        if self._owns(type_, name):
            return
        self.require("MANAGE", type_, name)

    def sees(self, type_: str, name: str) -> bool:
        """Tell whether the caller may know of an object: by any privilege, with USE or BROWSE."""
        shared = name.split(".", maxsplit=1)[0] in _SHARED
        if shared or self._workspace.is_admin or self._owns(type_, name):
            return True
        names, mine = name.split("."), self._mine()
        held = {privilege for who, privilege, _, _ in self._effective(type_, name) if who in mine}
        if "BROWSE" in held:
            return True
        held &= APPLICABLE[
            _GRANTED_AS.get(type_, type_)
        ]  # to use a schema says nothing of its tables
        wanted = [("CATALOG", names[0], "USE CATALOG")] if len(names) > 1 else []
        if len(names) > 2:
            wanted.append(("SCHEMA", ".".join(names[:2]), "USE SCHEMA"))
        return bool(held) and all(self._has(p, kind, on) for kind, on, p in wanted)

    def require_sees(self, type_: str, name: str) -> None:
        """Let only callers pass who may know of an object. Errors: PermissionDenied."""
        if not self.sees(type_, name):
            kind = _words(type_)
            raise PermissionDenied(f"User does not have BROWSE on {kind} '{name}'.")

    def _missing(self, privilege: str, type_: str, name: str) -> str | None:
        names = name.split(".")
        if names[0] in _SHARED and type_ != "METASTORE":
            shared = privilege in _OPEN
            return None if shared else f"{privilege} on {_words(type_)} '{name}'"
        if self._workspace.is_admin:
            return None
        if type_ == "METASTORE":
            held = self._has(privilege, type_, _METASTORE)
            return None if held else f"{privilege} on Metastore"
        contains = self._owns_container(names)
        if len(names) > 1 and not contains and not self._has("USE CATALOG", "CATALOG", names[0]):
            return f"USE CATALOG on Catalog '{names[0]}'"
        schema = ".".join(names[:2])
        if len(names) > 2 and not contains and not self._has("USE SCHEMA", "SCHEMA", schema):
            return f"USE SCHEMA on Schema '{schema}'"
        owns = self._is_caller(self._owner(type_, name)) if len(names) > 2 else False
        if owns or (contains and privilege not in _DATA) or self._has(privilege, type_, name):
            return None
        return f"{privilege} on {_words(type_)} '{name}'"

    def _has(self, privilege: str, type_: str, name: str) -> bool:
        """Tell whether it was granted to the caller, on the object or on what holds it."""
        mine = self._mine()
        found = (
            [(who, p) for who, held in self._privileges.on(type_, name).items() for p in held]
            if type_ == "METASTORE"
            else [(who, p) for who, p, _, _ in self._effective(type_, name)]
        )
        covers = {privilege, "MANAGE"} if privilege == "MANAGE" else {privilege, ALL}
        return any(who in mine and p in covers for who, p in found)

    def _effective(self, type_: str, name: str) -> Iterator[tuple[str, str, str, str]]:
        return self._privileges.effective(_GRANTED_AS.get(type_, type_), name)

    def _mine(self) -> set[str]:
        return {self._workspace.user, EVERYBODY, *self._workspace.groups_of_caller()}

    def _is_caller(self, owner: str | None) -> bool:
        return owner in {self._workspace.user, *self._workspace.groups_of_caller()}

    def _owns_container(self, names: Sequence[str]) -> bool:
        """Tell whether the caller owns the catalog, or the schema if the name has one."""
        held = [("CATALOG", 1), ("SCHEMA", 2)][: len(names)]
        return any(
            self._is_caller(self._owner(kind, ".".join(names[:length]))) for kind, length in held
        )

    def _owns(self, type_: str, name: str) -> bool:
        names = name.split(".")
        return self._owns_container(names) or (
            len(names) == 3 and self._is_caller(self._owner(type_, name))
        )

    def _owner(self, type_: str, name: str) -> str | None:
        names = name.split(".")
        if len(names) == 1:
            return read(self._lake.folder(names[0]) / "_catalog.json").get("owner")
        if len(names) == 2:
            return read(self._lake.folder(*names) / "_schema.json").get("owner")
        for kind in _FILES.get(type_, ()):
            owner = read(self._lake.entry(kind, *names)).get("owner")
            if owner:
                return owner
        return self._owner("SCHEMA", ".".join(names[:2])) if type_ == "TABLE" else None


def _words(type_: str) -> str:
    return "Routine or Model" if type_ in {"FUNCTION", "MODEL"} else type_.capitalize()

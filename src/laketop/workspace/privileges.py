"""What was granted on catalogs and what they hold, in the files that the engine enforces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from databricks.sdk.errors.platform import BadRequest

from laketop.workspace.lake import Lake, read

ALL = "ALL PRIVILEGES"

_EVERYWHERE = ("MANAGE", ALL)
_TABLE = ("SELECT", "MODIFY", "REFRESH", "APPLY TAG")
_FUNCTION = ("EXECUTE", "APPLY TAG", "CREATE MODEL VERSION")
_VOLUME = ("READ VOLUME", "WRITE VOLUME", "APPLY TAG")
_SCHEMA = (
    *("USE SCHEMA", "CREATE TABLE", "CREATE VOLUME", "CREATE FUNCTION", "CREATE MODEL"),
    *("CREATE MATERIALIZED VIEW", "EXTERNAL USE SCHEMA", *_TABLE, *_FUNCTION, *_VOLUME),
)
APPLICABLE: Mapping[str, frozenset[str]] = {
    "METASTORE": frozenset(
        {
            *("CREATE CATALOG", "CREATE CONNECTION", "CREATE EXTERNAL LOCATION", "CREATE SHARE"),
            *("CREATE STORAGE CREDENTIAL", "CREATE RECIPIENT", "CREATE PROVIDER", *_EVERYWHERE),
        }
    ),
    "CATALOG": frozenset({"USE CATALOG", "CREATE SCHEMA", "BROWSE", *_SCHEMA, *_EVERYWHERE}),
    "SCHEMA": frozenset({*_SCHEMA, *_EVERYWHERE}),
    "TABLE": frozenset({*_TABLE, *_EVERYWHERE}),
    "VOLUME": frozenset({*_VOLUME, *_EVERYWHERE}),
    "FUNCTION": frozenset({*_FUNCTION, *_EVERYWHERE}),
}
"""The privileges that each type of object takes. Source: Databricks docs, privileges."""


class Privileges:
    """The grants of a metastore: `_grants/<TYPE>.json` maps "object|principal" to privileges."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def on(self, type_: str, object_: str) -> dict[str, list[str]]:
        """Return the privileges that each principal was granted on just this object, sorted."""
        found: dict[str, list[str]] = {}
        for key, privileges in read(self._file(type_)).items():
            name, _, principal = key.rpartition("|")
            if name == object_:
                found[principal] = sorted(privileges.split(","))
        return dict(sorted(found.items()))

    def effective(self, type_: str, object_: str) -> Iterator[tuple[str, str, str, str]]:
        """Yield principal, privilege, and type and name of what it was granted on, nearest first.

        A privilege on a catalog or a schema reaches what it holds, where it applies.
        """
        names = object_.split(".")
        for length in range(len(names), 0, -1):
            holder = ".".join(names[:length])
            kind = type_ if length == len(names) else ("CATALOG", "SCHEMA")[length - 1]
            for principal, privileges in self.on(kind, holder).items():
                for privilege in privileges:
                    yield principal, privilege, kind, holder

    def change(
        self, type_: str, object_: str, principal: str, *, add: Iterable[str], remove: Iterable[str]
    ) -> None:
        """Grant and revoke; to revoke ALL PRIVILEGES takes the single ones too.

        Errors: BadRequest for a privilege that the type does not take, or that is both.
        """
        adding, removing = set(add), set(remove)
        if adding & removing:
            raise BadRequest(f"Duplicate privileges to add and delete for principal {principal}.")
        for privilege in sorted(adding | removing):
            if privilege not in APPLICABLE[type_]:
                shown = privilege.replace(" ", "_")
                raise BadRequest(
                    f"Privilege {shown} is not applicable to this entity [{type_}].",
                    error_code="INVALID_PARAMETER_VALUE",
                )
        with self._lake.alone():
            granted = read(self._file(type_))
            key = f"{object_}|{principal}"
            held = set(granted.pop(key, "").split(",")) - {""}
            kept = held & {"MANAGE"} if ALL in removing else held - removing
            if kept | adding:
                granted[key] = ",".join(sorted(kept | adding))
            self._lake.keep(self._file(type_), granted)

    def forget(self, object_: str, type_: str | None = None) -> None:
        """Forget the grants on an object of a type that is gone.

        Without a type, on a catalog or schema, and on all that it held.
        """
        self._rewrite(object_, type_, lambda _name: None)

    def rename(self, before: str, after: str, type_: str | None = None) -> None:
        """Let the grants on an object of a type follow its new name.

        Without a type, on a catalog or schema, and on all that it holds.
        """
        self._rewrite(before, type_, lambda name: after + name[len(before) :])

    def _rewrite(self, object_: str, only: str | None, change: Callable[[str], str | None]) -> None:
        with self._lake.alone():
            for type_ in [only] if only else APPLICABLE:
                granted = read(self._file(type_))
                changed: dict[str, str] = {}
                for key, privileges in granted.items():
                    name, _, principal = key.rpartition("|")
                    is_inside = name == object_ or name.startswith(f"{object_}.")
                    new = change(name) if is_inside else name
                    if new is not None:
                        changed[f"{new}|{principal}"] = privileges
                if changed != granted:
                    self._lake.keep(self._file(type_), changed)

    def _file(self, type_: str) -> Path:
        return self._lake.root / "_grants" / f"{type_}.json"

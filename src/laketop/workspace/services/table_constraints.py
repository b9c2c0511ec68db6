"""Primary and foreign keys of tables, made and dropped without SQL."""

from __future__ import annotations

import re
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import ForeignKeyConstraint, PrimaryKeyConstraint, TableType

from laketop.workspace import lake
from laketop.workspace.kept import fields_of
from laketop.workspace.service import route
from laketop.workspace.table_keys import TableKeys
from laketop.workspace.unity_service import UnityService

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


class TableConstraints(UnityService):
    """Keys, which readers are told of and nobody enforces, as on Databricks.

    Source: databricks-sdk, `catalog.TableConstraintsAPI`; Databricks docs, SQL.
    """

    @property
    def _keys(self) -> TableKeys:
        return TableKeys(self._lake)

    @route("POST /api/2.1/unity-catalog/constraints")
    def create(self, full_name_arg: str, constraint: dict[str, Any]) -> dict[str, Any]:
        """Keep a primary or foreign key of a table, whose columns are there."""
        table = lake.parts(full_name_arg, 3, "table")
        self._rights.require_manage("TABLE", ".".join(table))
        columns = self._columns(table)
        sent = {kind: value for kind, value in constraint.items() if value is not None}
        if set(sent) == {"primary_key_constraint"}:
            key = fields_of(PrimaryKeyConstraint, _object(sent))
            self._check(table, key, columns)
            definition = self._primary(table, key, columns)
        elif set(sent) == {"foreign_key_constraint"}:
            key = fields_of(ForeignKeyConstraint, _object(sent))
            self._check(table, key, columns)
            definition = self._foreign(key)
        else:
            raise NotServed("laketop keeps primary_key_constraint or foreign_key_constraint.")
        self._keys.add(table, key["name"], definition, rely=bool(key.get("rely")))
        kind = next(iter(sent))
        return next(o for o in self._keys.of(table) if o.get(kind, {}).get("name") == key["name"])

    @route("DELETE /api/2.1/unity-catalog/constraints/{full_name}")
    def delete(self, full_name: str, constraint_name: str, cascade: bool = False) -> None:
        """Drop a key; with `cascade` the foreign keys that lead to it too."""
        table = lake.parts(full_name, 3, "table")
        self._rights.require_manage("TABLE", ".".join(table))
        self._columns(table)
        found = {value["name"]: kind for one in self._keys.of(table) for kind, value in one.items()}
        if constraint_name not in found:
            raise NotFound(
                f"Constraint '{constraint_name[:200]}' does not exist.",
                error_code="CONSTRAINT_DOES_NOT_EXIST",
            )
        if found[constraint_name] == "primary_key_constraint":
            referring = list(self._keys.referring_to(table))
            if referring and not cascade:
                raise BadRequest(
                    f"Constraint '{constraint_name}' is referred to by '{referring[0][1]}'."
                )
            for other, name in referring:
                self._rights.require_manage("TABLE", ".".join(other))
                self._keys.remove(other, name)
        self._keys.remove(table, constraint_name)

    def _columns(self, table: list[str]) -> dict[str, bool]:
        """Return the columns of a table in small letters, and whether each can be null."""
        info = self.workspace.tables.get(".".join(table))
        if info.table_type is TableType.VIEW:
            raise BadRequest(f"'{'.'.join(table)}' is a view, which has no constraints.")
        return {one.name.lower(): bool(one.nullable) for one in info.columns or []}

    def _check(self, table: list[str], key: dict[str, Any], columns: dict[str, bool]) -> None:
        if not _NAME.fullmatch(key["name"]):
            raise InvalidParameterValue(f"{key['name'][:200]!r} is no name of a constraint.")
        taken = {value["name"] for one in self._keys.of(table) for value in one.values()}
        if key["name"] in taken:
            raise lake.already("Constraint", key["name"])
        _check_columns(key["child_columns"], columns, ".".join(table))

    def _primary(self, table: list[str], key: dict[str, Any], columns: dict[str, bool]) -> str:
        for other in self._keys.of(table):
            if "primary_key_constraint" in other:
                name = other["primary_key_constraint"]["name"]
                raise BadRequest(f"Table '{'.'.join(table)}' has the primary key '{name}' already.")
        for column in key["child_columns"]:
            if columns[column.lower()]:
                raise BadRequest(f"Column '{column}' of a primary key is not NOT NULL.")
        timed = {column.lower() for column in key.get("timeseries_columns") or []}
        if timed - {column.lower() for column in key["child_columns"]}:
            raise InvalidParameterValue("The timeseries_columns are not columns of the key.")
        written = [f"{c} TIMESERIES" if c.lower() in timed else c for c in key["child_columns"]]
        return f"PRIMARY KEY ({', '.join(written)})"

    def _foreign(self, key: dict[str, Any]) -> str:
        parent = lake.parts(key["parent_table"], 3, "table")
        _check_columns(key["parent_columns"], self._columns(parent), ".".join(parent))
        primary = [one.get("primary_key_constraint") for one in self._keys.of(parent)]
        to = [column.lower() for column in key["parent_columns"]]
        if not any(p and [c.lower() for c in p["child_columns"]] == to for p in primary):
            raise BadRequest(f"The parent_columns are not the primary key of '{'.'.join(parent)}'.")
        if len(to) != len(key["child_columns"]):
            raise InvalidParameterValue("A foreign key has as many child as parent columns.")
        columns = ", ".join(key["child_columns"])
        return f"FOREIGN KEY ({columns}) REFERENCES {'.'.join(parent)} ({', '.join(to)})"


def _object(sent: dict[str, Any]) -> dict[str, Any]:
    (value,) = sent.values()
    if not isinstance(value, dict):
        raise InvalidParameterValue("A constraint is an object.")
    return value


def _check_columns(named: list[str], columns: dict[str, bool], table: str) -> None:
    if not named or len({name.lower() for name in named}) != len(named):
        raise InvalidParameterValue("The columns of a key are one or more, each once.")
    for name in named:
        if name.lower() not in columns or re.search(r"[,`()]", name):
            raise NotFound(f"Column '{name[:200]}' does not exist in '{table}'.")

"""The tables and views of Unity Catalog."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.service.catalog import (
    DataSourceFormat,
    TableConstraint,
    TableInfo,
    TableSummary,
    TableType,
)

from laketop import durable
from laketop.workspace import dropped, lake, storage
from laketop.workspace.columns import columns_of
from laketop.workspace.delta_log import metadata_of
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.service import route
from laketop.workspace.table_keys import TableKeys
from laketop.workspace.unity_service import UnityService


class Tables(UnityService):
    """Tables as their files say, so that what Spark has just made is there.

    Here external tables of Delta are made, whose files are there already; others in SQL.
    Source: Unity Catalog API, databricks-sdk `catalog.TablesAPI`.
    """

    @route("POST /api/2.1/unity-catalog/tables")
    def create(  # noqa: PLR0917 - the fields of the request
        self,
        name: str,
        catalog_name: str,
        schema_name: str,
        table_type: TableType,
        data_source_format: DataSourceFormat,
        storage_location: str,
        columns: list[dict[str, Any]] | None = None,
        properties: dict[str, str] | None = None,
    ) -> TableInfo:
        """Give the Delta table at a location a name, which makes it an external table.

        Errors: InvalidParameterValue for another type or format, or where the location holds no
        Delta table of these columns; BadRequest for a name or a location that is taken; NotFound;
        NotImplemented for a place in a cloud.
        """
        if table_type is not TableType.EXTERNAL or data_source_format is not DataSourceFormat.DELTA:
            raise InvalidParameterValue(
                "Tables are made here of table_type EXTERNAL and data_source_format DELTA, not of"
                f" {table_type.value} and {data_source_format.value}: make others in SQL."
            )
        self._lake.schema(catalog_name, schema_name)
        names = [lake.checked(part) for part in (catalog_name, schema_name, name)]
        self._rights.require_create("CREATE TABLE", ".".join(names[:2]))
        if names[2] in self._lake.tables(*names[:2]):
            raise lake.already("Table", ".".join(names))
        self._check_location(storage_location, columns)
        entry = {
            **_allowed(properties or {}),
            "location": storage_location,
            "provider": "delta",
            "table_type": "EXTERNAL",
        }
        self._lake.keep(self._lake.entry("owners", *names), {"owner": self.workspace.user})
        self._lake.keep(self._lake.entry("tables", *names), entry)
        return self._info(*names)

    def _check_location(self, location: str, columns: list[dict[str, Any]] | None) -> None:
        volume = storage.volume_of(location)
        if volume is not None:
            self._rights.require("WRITE VOLUME", "VOLUME", volume)
        storage.check_free(self._lake, location)
        found = metadata_of(storage.folder_of(self._lake, location))
        if found is None:
            raise InvalidParameterValue(
                f"There is no Delta table at {location[:200]!r}: write it before it gets a name."
            )
        there = [str(field["name"]).lower() for field in found.schema["fields"]]
        asked = [str(one.get("name")).lower() for one in columns or ()]
        if asked and asked != there:
            raise InvalidParameterValue(
                f"The columns {', '.join(asked)[:200]!r} are not those of the Delta table at"
                f" {location[:200]!r}, which are {', '.join(there)[:200]!r}."
            )

    @route("GET /api/2.1/unity-catalog/tables")
    def list(
        self,
        *,
        catalog_name: str,
        schema_name: str,
        max_results: int = 0,
        page_token: str | None = None,
        omit_columns: bool = False,
        omit_properties: bool = False,
    ) -> dict[str, Any]:
        """Return the tables of a schema that the caller may see, by name, by pages."""
        self._lake.schema(catalog_name, schema_name)
        catalog, schema = catalog_name.lower(), schema_name.lower()
        names, more = page_of(self._seen(catalog, schema), max_results, page_token)
        tables = []
        for name in names:
            info = self._info(catalog, schema, name).as_dict()
            if omit_columns:
                info.pop("columns", None)
            if omit_properties:
                info.pop("properties", None)
            tables.append(info)
        return {"tables": tables, **more}

    @route("GET /api/2.1/unity-catalog/table-summaries")
    def list_summaries(
        self,
        *,
        catalog_name: str,
        schema_name_pattern: str | None = None,
        table_name_pattern: str | None = None,
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return name and type of the tables of a catalog whose names match, by pages."""
        schemas = [s for s in self._lake.schemas(catalog_name) if _like(schema_name_pattern, s)]
        catalog = catalog_name.lower()
        found = sorted(
            f"{catalog}.{schema}.{name}"
            for schema in schemas
            for name in self._seen(catalog, schema)
            if _like(table_name_pattern, name)
        )
        names, more = page_of(found, max_results, page_token)
        shown = [
            TableSummary(full_name=name, table_type=self._type(*name.split("."))).as_dict()
            for name in names
        ]
        return {"tables": shown, **more}

    @route("GET /api/2.1/unity-catalog/tables/{full_name}")
    def get(self, full_name: str) -> TableInfo:
        """Return a table with its columns."""
        names = lake.parts(full_name, 3, "table")
        self._rights.require_sees("TABLE", ".".join(names))
        self._check(*names)
        info = self._info(*names)
        keys = TableKeys(self._lake).of(names)
        info.table_constraints = [TableConstraint.from_dict(key) for key in keys] or None
        return info

    @route("GET /api/2.1/unity-catalog/tables/{full_name}/exists")
    def exists(self, full_name: str) -> dict[str, bool]:
        """Tell whether a table is there, and the caller may know of it."""
        catalog, schema, name = lake.parts(full_name, 3, "table")
        there = self._lake.folder(catalog, schema).is_dir()
        there = there and name in self._lake.tables(catalog, schema)
        return {"table_exists": there and self._rights.sees("TABLE", full_name.lower())}

    @route("PATCH /api/2.1/unity-catalog/tables/{full_name}")
    def update(self, full_name: str, owner: str) -> None:
        """Give a table to another owner."""
        names = lake.parts(full_name, 3, "table")
        self._rights.require_manage("TABLE", ".".join(names))
        self._check(*names)
        if not owner:
            raise InvalidParameterValue("Missing required field: owner")
        view = self._lake.entry("views", *names)
        file = view if view.is_file() else self._lake.entry("owners", *names)
        self._lake.change(file, lambda kept: {**kept, "owner": owner})

    @route("DELETE /api/2.1/unity-catalog/tables/{full_name}")
    def delete(self, full_name: str) -> None:
        """Drop a table or view, with its data if they are managed, and what was granted on it.

        UNDROP TABLE brings a managed Delta table back.
        """
        names = lake.parts(full_name, 3, "table")
        self._rights.require_manage("TABLE", ".".join(names))
        self._check(*names)
        files = [self._lake.entry(kind, *names) for kind in ("views", "tables")]
        if not any(file.is_file() for file in files):
            dropped.keep(self._lake, names, self._owner(*names) or "")
        for file in files:
            file.unlink(missing_ok=True)
        self._lake.discard(self._place(*names))
        for kind in ("owners", "tags", "constraints", "policies"):
            self._lake.entry(kind, *names).unlink(missing_ok=True)
        durable.flush_folder(self._lake.folder(*names[:2]))
        Privileges(self._lake).forget(".".join(names), "TABLE")

    def _seen(self, catalog: str, schema: str) -> Any:
        names = self._lake.tables(catalog, schema)
        if self.workspace.is_admin:
            return names
        return [name for name in names if self._rights.sees("TABLE", f"{catalog}.{schema}.{name}")]

    def _place(self, catalog: str, schema: str, name: str) -> Path:
        return self._lake.folder(catalog, schema) / lake.checked(name)

    def _check(self, catalog: str, schema: str, name: str) -> None:
        self._lake.schema(catalog, schema)
        if name not in self._lake.tables(catalog, schema):
            raise NotFound(
                f"Table '{catalog}.{schema}.{name}' does not exist.",
                error_code="TABLE_DOES_NOT_EXIST",
            )

    def _type(self, catalog: str, schema: str, name: str) -> TableType:
        if self._lake.entry("views", catalog, schema, name).is_file():
            return TableType.VIEW
        outside = lake.read(self._lake.entry("tables", catalog, schema, name))
        return TableType.EXTERNAL if outside.get("location") else TableType.MANAGED

    def _info(self, catalog: str, schema: str, name: str) -> TableInfo:
        full_name = f"{catalog}.{schema}.{name}"
        type_ = self._type(catalog, schema, name)
        info = TableInfo(
            name=name,
            catalog_name=catalog,
            schema_name=schema,
            full_name=full_name,
            table_type=type_,
            owner=self._owner(catalog, schema, name),
            metastore_id=self.workspace.metastore_id,
            table_id=str(uuid.uuid5(uuid.NAMESPACE_URL, full_name)),
        )
        if type_ is TableType.VIEW:
            self._fill_view(info, self._lake.entry("views", catalog, schema, name))
        else:
            self._fill_table(info, lake.read(self._lake.entry("tables", catalog, schema, name)))
        info.created_by = info.updated_by = info.owner
        return info

    def _fill_view(self, info: TableInfo, file: Path) -> None:
        entry = lake.read(file)
        info.view_definition = entry.get("query")
        info.columns = columns_of(json.loads(entry["schema"])) if entry.get("schema") else []
        properties = json.loads(entry.get("properties") or "{}")
        info.comment = properties.get("comment")
        info.properties = {k: str(v) for k, v in properties.items() if k not in _OWN}
        info.created_at = info.updated_at = lake.changed_ms(file)

    def _fill_table(self, info: TableInfo, entry: dict[str, str]) -> None:
        names = str(info.full_name).split(".")
        location = entry.get("location")
        own = self._place(*names)
        place = storage.kept_folder(self._lake, location) if location else own
        found = metadata_of(place)
        info.storage_location = location or own.as_uri()
        info.data_source_format = DataSourceFormat.DELTA
        if found is not None:
            info.columns = columns_of(found.schema, found.partition_columns)
            info.comment = found.description
            more = {name: value for name, value in entry.items() if name not in _OWN_OF_TABLES}
            info.properties = {**more, **found.properties}
            info.table_id, info.created_at = found.id, found.created_ms
            info.updated_at = found.changed_ms
            return
        format_ = entry.get("provider", "").upper()
        known = {member.value for member in DataSourceFormat}
        info.data_source_format = DataSourceFormat(format_) if format_ in known else None
        info.columns = columns_of(json.loads(entry["schema"])) if entry.get("schema") else []
        info.comment = entry.get("comment")

    def _owner(self, catalog: str, schema: str, name: str) -> str | None:
        for kind in ("owners", "views", "tables"):
            owner = lake.read(self._lake.entry(kind, catalog, schema, name)).get("owner")
            if owner:
                return owner
        return self._lake.schema(catalog, schema).get("owner")


_OWN = {"owner", "comment"}
_OWN_OF_TABLES = frozenset(
    {
        *("location", "provider", "table_type", "owner", "comment", "schema", "partitions"),
        *("external", "is_managed_location"),
    }
)
"""What the file of an external table holds beside the properties."""


def _allowed(properties: dict[str, str]) -> dict[str, str]:
    reserved = sorted(_OWN_OF_TABLES & properties.keys())
    if reserved:
        raise BadRequest(f"The property {reserved[0]!r} is one of the table's own fields.")
    return properties


def _like(pattern: str | None, name: str) -> bool:
    """Tell whether a name is like a SQL pattern: `%` is any text, `_` any character."""
    if not pattern:
        return True
    wanted, name = pattern.lower(), name.lower()
    at = here = 0
    again: tuple[int, int] | None = None  # after the last %, and how far that one has reached
    while here < len(name):
        if wanted[at : at + 1] == "%":
            at += 1
            again = at, here
        elif at < len(wanted) and wanted[at] in {"_", name[here]}:
            at, here = at + 1, here + 1
        elif again is not None:
            again = again[0], again[1] + 1
            at, here = again
        else:
            return False
    return not wanted[at:].strip("%")

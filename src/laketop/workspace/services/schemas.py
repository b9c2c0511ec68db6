"""The schemas of Unity Catalog."""

from __future__ import annotations

import uuid
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import BadRequest
from databricks.sdk.service.catalog import CatalogType, SchemaInfo

from laketop.workspace import dropped, lake
from laketop.workspace.lake import Entry
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_NOT_PROPERTIES = frozenset({"owner", "comment", "location"})
_MADE = "_made.json"
"""Beside a schema's own file, whose entries Spark shows as properties: who made it, and when."""


class Schemas(UnityService):
    """Schemas: the folders of a catalog.

    Source: Databricks docs, error classes and Unity Catalog API.

    `storage_root` is kept as it was sent; what a schema holds lies in the state folder.
    """

    @route("POST /api/2.1/unity-catalog/schemas")
    def create(
        self,
        name: str,
        catalog_name: str,
        comment: str = "",
        properties: dict[str, str] | None = None,
        storage_root: str | None = None,
    ) -> SchemaInfo:
        """Make a schema. Errors: BadRequest with SCHEMA_ALREADY_EXISTS; NotFound."""
        self._lake.catalog(catalog_name)
        self._rights.require("USE CATALOG", "CATALOG", catalog_name.lower())
        self._rights.require("CREATE SCHEMA", "CATALOG", catalog_name.lower())
        folder = self._lake.folder(catalog_name, name)
        if folder.exists():
            raise lake.already("Schema", f"{catalog_name}.{name}")
        user, now = self.workspace.user, str(self.workspace.now_ms())
        made = {"by": user, "at": now, **({"storage_root": storage_root} if storage_root else {})}
        self._lake.keep(folder / _MADE, made)
        entry = {**_allowed(properties or {}), "owner": user, "comment": comment}
        self._lake.keep(folder / "_schema.json", entry)
        return self._info(catalog_name.lower(), name.lower())

    @route("GET /api/2.1/unity-catalog/schemas/{full_name}")
    def get(self, full_name: str) -> SchemaInfo:
        """Return a schema."""
        names = lake.parts(full_name, 2, "schema")
        self._rights.require_sees("SCHEMA", ".".join(names))
        return self._info(*names)

    @route("GET /api/2.1/unity-catalog/schemas")
    def list(
        self, catalog_name: str, max_results: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the schemas of a catalog that the caller may see, by name."""
        catalog, sees = lake.checked(catalog_name), self._rights.sees
        found_names = self._lake.schemas(catalog)
        seen = [name for name in found_names if sees("SCHEMA", f"{catalog}.{name}")]
        names, more = page_of(seen, max_results, page_token)
        found = [self._info(catalog, name).as_dict() for name in names]
        return {"schemas": found, **more}

    @route("PATCH /api/2.1/unity-catalog/schemas/{full_name}")
    def update(
        self,
        full_name: str,
        comment: str | None = None,
        new_name: str | None = None,
        owner: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> SchemaInfo:
        """Change comment, owner, properties or name; grants follow a new name."""
        catalog, name = lake.parts(full_name, 2, "schema")
        self._rights.require_manage("SCHEMA", f"{catalog}.{name}")
        folder = self._lake.folder(catalog, name)
        with self._lake.alone():
            entry = self._lake.schema(catalog, name)
            if properties is not None:
                kept = {key: value for key, value in entry.items() if key in _NOT_PROPERTIES}
                entry = {**_allowed(properties), **kept}
            entry |= {"comment": comment} if comment is not None else {}
            entry |= {"owner": owner} if owner else {}
            self._lake.keep(folder / "_schema.json", entry)
        self._lake.keep(folder / _MADE, {**self._made(folder), "changed_by": self.workspace.user})
        return self._info(catalog, self._renamed(catalog, name, new_name))

    @route("DELETE /api/2.1/unity-catalog/schemas/{full_name}", hold="check_models")
    def delete(self, full_name: str, force: bool = False) -> None:
        """Delete a schema; with `force` all that it holds too.

        Errors: BadRequest with SCHEMA_NOT_EMPTY.
        """
        catalog, name = lake.parts(full_name, 2, "schema")
        self._rights.require_manage("SCHEMA", f"{catalog}.{name}")
        self._lake.schema(catalog, name)
        held = self._lake.holds(catalog, name)
        if any(held.values()) and not force:
            counts = ", ".join(
                f"{number} {kind.removesuffix('s')}s(s)" for kind, number in held.items()
            )
            raise BadRequest(
                f"Schema '{catalog}.{name}' is not empty. The schema has {counts}",
                error_code="SCHEMA_NOT_EMPTY",
            )
        self._lake.discard(self._lake.folder(catalog, name))
        dropped.forget(self._lake, f"{catalog}.{name}")
        Privileges(self._lake).forget(f"{catalog}.{name}")

    async def check_models(self, full_name: str, force: bool = False) -> None:
        """Before the transaction, delete the models in it, or with them refuse its deletion."""
        await anyio.to_thread.run_sync(
            self._rights.require_manage, "SCHEMA", ".".join(lake.parts(full_name, 2, "schema"))
        )
        models = await self.workspace.registered_models.names_in(*full_name.lower().split("."))
        if models and not force:
            raise BadRequest(
                f"Schema '{full_name}' is not empty. It has {len(models)} models(s)",
                error_code="SCHEMA_NOT_EMPTY",
            )
        for model in models:
            await self.workspace.registered_models.delete(model)

    def _made(self, folder: Any) -> Entry:
        return lake.read(folder / _MADE)

    def _renamed(self, catalog: str, name: str, new_name: str | None) -> str:
        if new_name is None or lake.checked(new_name) == name:
            return name
        new = self._lake.folder(catalog, new_name)
        if new.exists():
            raise lake.already("Schema", f"{catalog}.{new_name}")
        self._lake.rename(self._lake.folder(catalog, name), new)
        Privileges(self._lake).rename(f"{catalog}.{name}", f"{catalog}.{new_name.lower()}")
        return new_name.lower()

    def _info(self, catalog: str, name: str) -> SchemaInfo:
        entry = self._lake.schema(catalog, name)
        folder = self._lake.folder(catalog, name)
        made, changed = self._made(folder), lake.changed_ms(folder / "_schema.json")
        properties = {key: value for key, value in entry.items() if key not in _NOT_PROPERTIES}
        return SchemaInfo(
            name=name,
            catalog_name=catalog,
            full_name=f"{catalog}.{name}",
            catalog_type=CatalogType.MANAGED_CATALOG,
            comment=entry.get("comment") or None,
            owner=entry.get("owner"),
            properties=properties or None,
            storage_root=made.get("storage_root"),
            created_at=int(made["at"]) if "at" in made else changed,
            created_by=made.get("by", entry.get("owner")),
            updated_at=changed,
            updated_by=made.get("changed_by", entry.get("owner")),
            metastore_id=self.workspace.metastore_id,
            schema_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{folder.stat().st_ino}")),
        )


def _allowed(properties: dict[str, str]) -> dict[str, str]:
    reserved = sorted(_NOT_PROPERTIES & properties.keys())
    if reserved:
        raise BadRequest(f"The property {reserved[0]!r} is one of the schema's own fields.")
    return properties

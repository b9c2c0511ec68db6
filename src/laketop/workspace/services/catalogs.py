"""The catalogs of Unity Catalog."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import (
    CatalogInfo,
    CatalogIsolationMode,
    CatalogType,
    SecurableType,
)

from laketop.workspace import dropped, lake
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_PROPERTY = "property."
_SPARKS_OWN = ("system", "spark_catalog")


class Catalogs(UnityService):
    """Catalogs: the folders below the state folder's `catalog`.

    Source: Databricks docs, error classes and Unity Catalog API.

    `storage_root` is kept as it was sent; what a catalog holds lies in the state folder.
    """

    def start(self) -> None:
        """Make the catalog that is there from the start."""
        if not self._lake.folder(lake.MAIN).is_dir():
            self._make(lake.MAIN, {"owner": self.workspace.settings.user, "comment": ""})

    @route("POST /api/2.1/unity-catalog/catalogs")
    def create(  # noqa: PLR0917 - the fields of the request
        self,
        name: str,
        comment: str = "",
        properties: dict[str, str] | None = None,
        storage_root: str | None = None,
        connection_name: str | None = None,
        share_name: str | None = None,
        provider_name: str | None = None,
    ) -> CatalogInfo:
        """Make a catalog with its schema `default`.

        Errors: BadRequest with CATALOG_ALREADY_EXISTS; NotImplemented for one whose data are
        elsewhere.
        """
        self._rights.require("CREATE CATALOG", "METASTORE", "metastore")
        if connection_name or share_name or provider_name:
            raise NotServed("laketop has no foreign and no shared catalogs.")
        if name.lower() in _SPARKS_OWN:
            raise InvalidParameterValue(f"Catalog '{name}' is Spark's own.")
        if self._lake.folder(name).exists():
            raise lake.already("Catalog", name)
        user, now = self.workspace.user, str(self.workspace.now_ms())
        entry = {"owner": user, "comment": comment, "created_by": user, "created_at": now}
        entry |= {f"{_PROPERTY}{key}": value for key, value in (properties or {}).items()}
        self._make(name, entry | ({"storage_root": storage_root} if storage_root else {}))
        return self._info(name.lower())

    @route("GET /api/2.1/unity-catalog/catalogs/{name}")
    def get(self, name: str) -> CatalogInfo:
        """Return a catalog."""
        self._rights.require_sees("CATALOG", lake.checked(name))
        return self._info(lake.checked(name))

    @route("GET /api/2.1/unity-catalog/catalogs")
    def list(self, max_results: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the catalogs that the caller may see, by name."""
        seen = [one for one in self._lake.catalogs() if self._rights.sees("CATALOG", one)]
        names, more = page_of(seen, max_results, page_token)
        return {"catalogs": [self._info(name).as_dict() for name in names], **more}

    @route("PATCH /api/2.1/unity-catalog/catalogs/{name}")
    def update(  # noqa: PLR0917 - the fields of the request
        self,
        name: str,
        comment: str | None = None,
        new_name: str | None = None,
        owner: str | None = None,
        properties: dict[str, str] | None = None,
        isolation_mode: CatalogIsolationMode | None = None,
    ) -> CatalogInfo:
        """Change comment, owner, properties, isolation or name; grants follow a new name."""
        name = lake.checked(name)
        self._rights.require_manage("CATALOG", name)
        with self._lake.alone():
            entry = self._lake.catalog(name)
            if properties is not None:
                entry = {k: v for k, v in entry.items() if not k.startswith(_PROPERTY)}
                entry |= {f"{_PROPERTY}{key}": value for key, value in properties.items()}
            entry |= {"comment": comment} if comment is not None else {}
            entry |= {"owner": owner} if owner else {}
            entry["updated_by"] = self.workspace.user
            if isolation_mode is not None:
                entry = self._isolated(name, entry, isolation_mode)
            self._lake.keep(self._lake.folder(name) / "_catalog.json", entry)
        return self._info(self._renamed(name, new_name))

    @route("DELETE /api/2.1/unity-catalog/catalogs/{name}", hold="check_models")
    def delete(self, name: str, force: bool = False) -> None:
        """Delete a catalog; with `force` all that it holds too.

        Errors: BadRequest with CATALOG_NOT_EMPTY; an empty schema `default` counts as nothing.
        """
        name = lake.checked(name)
        self._rights.require_manage("CATALOG", name)
        self._lake.catalog(name)
        if name == lake.MAIN:
            raise BadRequest("Catalog 'main' is where sessions begin, and stays.")
        held: Any = [s for s in self._lake.schemas(name) if s != "default" or self._holds(name, s)]
        if held and not force:
            raise BadRequest(
                f"Catalog '{name}' is not empty. The catalog has {len(held)} schema(s)",
                error_code="CATALOG_NOT_EMPTY",
            )
        self._lake.discard(self._lake.folder(name))
        dropped.forget(self._lake, name)
        Privileges(self._lake).forget(name)

    async def check_models(self, name: str, force: bool = False) -> None:
        """Before the transaction, delete the models in it, or with them refuse its deletion."""
        await anyio.to_thread.run_sync(self._rights.require_manage, "CATALOG", lake.checked(name))
        models = await self.workspace.registered_models.names_in(*name.lower().split("."))
        if models and not force:
            raise BadRequest(
                f"Catalog '{name}' is not empty. It has {len(models)} models(s)",
                error_code="CATALOG_NOT_EMPTY",
            )
        for model in models:
            await self.workspace.registered_models.delete(model)

    def _holds(self, catalog: str, schema: str) -> bool:
        return any(self._lake.holds(catalog, schema).values())

    def _make(self, name: str, entry: dict[str, str]) -> None:
        folder = self._lake.folder(name)
        # The catalog's own file comes last: until it is there, a cut leaves no catalog behind
        # that could not be made again.
        self._lake.keep(folder / "default" / "_schema.json", {"owner": entry["owner"]})
        self._lake.keep(folder / "_catalog.json", entry)

    def _isolated(self, name: str, entry: lake.Entry, mode: CatalogIsolationMode) -> lake.Entry:
        if mode is CatalogIsolationMode.OPEN:
            return {**entry, "isolation_mode": mode.value}
        isolated: lake.Entry = self.workspace.workspace_bindings.isolated(entry)
        self.workspace.workspace_bindings.check(name, isolated)
        return isolated

    def _renamed(self, name: str, new_name: str | None) -> str:
        if new_name is None or lake.checked(new_name) == name:
            return name
        if name == lake.MAIN:
            raise BadRequest("Catalog 'main' is where sessions begin, and keeps its name.")
        if self._lake.folder(new_name).exists():
            raise lake.already("Catalog", new_name)
        self._lake.rename(self._lake.folder(name), self._lake.folder(new_name))
        Privileges(self._lake).rename(name, new_name.lower())
        return new_name.lower()

    def _info(self, name: str) -> CatalogInfo:
        entry = self._lake.catalog(name)
        changed = lake.changed_ms(self._lake.folder(name) / "_catalog.json")
        properties = {
            key.removeprefix(_PROPERTY): value
            for key, value in entry.items()
            if key.startswith(_PROPERTY)
        }
        created = entry.get("created_at")
        return CatalogInfo(
            name=name,
            full_name=name,
            catalog_type=CatalogType.MANAGED_CATALOG,
            comment=entry.get("comment") or None,
            owner=entry.get("owner"),
            properties=properties or None,
            storage_root=entry.get("storage_root"),
            isolation_mode=CatalogIsolationMode(entry.get("isolation_mode", "OPEN")),
            created_at=int(created) if created else changed,
            created_by=entry.get("created_by", entry.get("owner")),
            updated_at=changed,
            updated_by=entry.get("updated_by", entry.get("owner")),
            metastore_id=self.workspace.metastore_id,
            securable_type=SecurableType.CATALOG,
        )

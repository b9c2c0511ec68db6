"""The volumes of Unity Catalog."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.service.catalog import VolumeInfo, VolumeType

from laketop import durable
from laketop.workspace import lake, storage
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import Privileges
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService


class Volumes(UnityService):
    """Volumes: the files of managed ones lie in the state folder, of external ones elsewhere.

    Source: Databricks docs, error classes and Unity Catalog API.
    """

    @route("POST /api/2.1/unity-catalog/volumes")
    def create(  # noqa: PLR0917 - the fields of the request
        self,
        catalog_name: str,
        schema_name: str,
        name: str,
        volume_type: VolumeType,
        comment: str = "",
        storage_location: str | None = None,
    ) -> VolumeInfo:
        """Make a volume, an external one over a folder of this machine.

        Errors: BadRequest with VOLUME_ALREADY_EXISTS, or for a location that is taken;
        InvalidParameterValue for one that cannot be; NotImplemented for a place in a cloud.
        """
        is_external = volume_type is VolumeType.EXTERNAL
        if storage_location and not is_external:
            raise BadRequest("CreateVolume storage_location can not be provided.")
        if is_external and not storage_location:
            raise InvalidParameterValue("Missing required field: storage_location")
        self._lake.schema(catalog_name, schema_name)
        schema_full = f"{catalog_name}.{schema_name}".lower()
        self._rights.require_create("CREATE VOLUME", schema_full)
        file = self._lake.entry("volumes", catalog_name, schema_name, name)
        if file.exists():
            raise lake.already("Volume", f"{catalog_name}.{schema_name}.{name}")
        more = self._placed(self._lake.files(catalog_name, schema_name, name), storage_location)
        user, now = self.workspace.user, str(self.workspace.now_ms())
        entry = {"owner": user, "comment": comment, "created_by": user, "created_at": now}
        self._lake.keep(file, {**entry, **more, "volume_id": str(uuid.uuid4())})
        return self._info(catalog_name.lower(), schema_name.lower(), name.lower())

    def _placed(self, place: Path, location: str | None) -> dict[str, str]:
        """Make the folder of a volume's files, and return what is kept of where they lie."""
        if location is None:
            if place.is_symlink():  # of an external volume whose making was killed
                self._lake.discard(place)
            durable.make_folder(place)
            return {}
        if storage.volume_of(location) is not None:
            raise BadRequest(f"The location {location[:200]!r} lies in another volume.")
        storage.check_free(self._lake, location)
        durable.make_folder(place.parent)
        self._lake.discard(place)
        storage.link(self._lake, location, place)
        return {"storage_location": location}

    @route("GET /api/2.1/unity-catalog/volumes/{name}")
    def read(self, name: str) -> VolumeInfo:
        """Return a volume."""
        names = lake.parts(name, 3, "volume")
        self._rights.require_sees("VOLUME", ".".join(names))
        return self._info(*names)

    @route("GET /api/2.1/unity-catalog/volumes")
    def list(
        self,
        catalog_name: str,
        schema_name: str,
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the volumes of a schema that the caller may see, by name."""
        self._lake.schema(catalog_name, schema_name)
        catalog, schema = catalog_name.lower(), schema_name.lower()
        found = self._lake.listed("volumes", catalog, schema)
        sees = self._rights.sees
        seen = [name for name in found if sees("VOLUME", f"{catalog}.{schema}.{name}")]
        names, more = page_of(seen, max_results, page_token)
        return {"volumes": [self._info(catalog, schema, name).as_dict() for name in names], **more}

    @route("PATCH /api/2.1/unity-catalog/volumes/{name}")
    def update(
        self,
        name: str,
        comment: str | None = None,
        new_name: str | None = None,
        owner: str | None = None,
    ) -> VolumeInfo:
        """Change comment, owner or name; grants follow a new name."""
        catalog, schema, volume = lake.parts(name, 3, "volume")
        self._rights.require_manage("VOLUME", f"{catalog}.{schema}.{volume}")
        target = lake.checked(new_name) if new_name else volume
        file = self._lake.entry("volumes", catalog, schema, target)
        with self._lake.alone():
            entry = self._lake.volume(catalog, schema, volume)
            entry |= {"comment": comment} if comment is not None else {}
            entry |= {"owner": owner} if owner else {}
            entry["updated_by"] = self.workspace.user
            if target != volume:
                if file.exists():
                    raise lake.already("Volume", f"{catalog}.{schema}.{target}")
                files = self._lake.files(catalog, schema, volume)
                self._lake.rename(files, self._lake.files(catalog, schema, target))
            self._lake.keep(file, entry)
            if target != volume:
                self._lake.entry("volumes", catalog, schema, volume).unlink()
        if target != volume:
            Privileges(self._lake).rename(
                f"{catalog}.{schema}.{volume}", f"{catalog}.{schema}.{target}", "VOLUME"
            )
        return self._info(catalog, schema, target)

    @route("DELETE /api/2.1/unity-catalog/volumes/{name}")
    def delete(self, name: str) -> None:
        """Delete a volume, with its files if it is managed."""
        catalog, schema, volume = lake.parts(name, 3, "volume")
        self._rights.require_manage("VOLUME", f"{catalog}.{schema}.{volume}")
        self._lake.volume(catalog, schema, volume)
        self._lake.entry("volumes", catalog, schema, volume).unlink()
        self._lake.discard(self._lake.files(catalog, schema, volume))
        Privileges(self._lake).forget(f"{catalog}.{schema}.{volume}", "VOLUME")

    def _info(self, catalog: str, schema: str, name: str) -> VolumeInfo:
        entry = self._lake.volume(catalog, schema, name)
        changed = lake.changed_ms(self._lake.entry("volumes", catalog, schema, name))
        full_name = f"{catalog}.{schema}.{name}"
        created = entry.get("created_at")
        location = entry.get("storage_location")
        made_id = uuid.uuid5(uuid.NAMESPACE_URL, full_name)
        return VolumeInfo(
            name=name,
            catalog_name=catalog,
            schema_name=schema,
            full_name=full_name,
            comment=entry.get("comment") or None,
            owner=entry.get("owner"),
            volume_type=VolumeType.EXTERNAL if location else VolumeType.MANAGED,
            volume_id=entry.get("volume_id") or str(made_id),
            storage_location=location or f"dbfs:/Volumes/{catalog}/{schema}/{name}",
            created_at=int(created) if created else changed,
            created_by=entry.get("created_by", entry.get("owner")),
            updated_at=changed,
            updated_by=entry.get("updated_by", entry.get("owner")),
            metastore_id=self.workspace.metastore_id,
        )

"""What lies outside of the metastore and is told of for lineage: kept as it was sent."""

from __future__ import annotations

import uuid
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied
from databricks.sdk.service.catalog import ExternalMetadata as Shape

from laketop.workspace.kept import Kept, Record, iso, masked
from laketop.workspace.service import Fields, Service, route

_SET_BY_US = ("id", "metastore_id", "create_time", "created_by", "update_time", "updated_by")


class ExternalMetadata(Service):
    """Objects of other systems. Source: databricks-sdk, `catalog.ExternalMetadataAPI`."""

    shared = True

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("objects"), "External metadata", Shape)

    @route("POST /api/2.0/lineage-tracking/external-metadata")
    def create_external_metadata(self, fields: Fields) -> Record:
        """Keep an object under its name."""
        made = self._kept.checked(fields, without=(*_SET_BY_US, "owner"))
        if not made["name"]:
            raise InvalidParameterValue("Missing required field: name")
        user, now = self.workspace.user, iso(self.workspace.now_ms())
        made |= {"id": str(uuid.uuid4()), "metastore_id": self.workspace.metastore_id}
        made |= {"owner": user, "created_by": user, "create_time": now}
        return self._kept.add(made["name"], {**made, "updated_by": user, "update_time": now})

    @route("GET /api/2.0/lineage-tracking/external-metadata/{name}")
    def get_external_metadata(self, name: str) -> Record:
        """Return an object."""
        return self._kept.existing(name)

    @route("GET /api/2.0/lineage-tracking/external-metadata")
    def list_external_metadata(
        self, page_size: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the objects by name, by pages."""
        return self._kept.page("external_metadata", page_size, page_token)

    @route("PATCH /api/2.0/lineage-tracking/external-metadata/{name}")
    def update_external_metadata(self, name: str, update_mask: str, fields: Fields) -> Record:
        """Change the fields of an object that the mask names; it keeps its name."""
        old = self._owned(name)
        fixed = (*_SET_BY_US, "name")
        new = masked(old, {**fields, "name": name}, update_mask, shape=Shape, fixed=fixed)
        changed = {**old, **self._kept.checked(new)}
        changed = {field: value for field, value in changed.items() if field in new}
        stamp = {"updated_by": self.workspace.user, "update_time": iso(self.workspace.now_ms())}
        return self._kept.put(name, {**changed, **stamp})

    @route("DELETE /api/2.0/lineage-tracking/external-metadata/{name}")
    def delete_external_metadata(self, name: str) -> None:
        """Forget an object."""
        self._owned(name)
        self._kept.remove(name)

    def _owned(self, name: str) -> Record:
        found = self._kept.existing(name)
        if not self.workspace.is_admin and found.get("owner") != self.workspace.user:
            raise PermissionDenied(f"User does not have MANAGE on '{name[:200]}'.")
        return found

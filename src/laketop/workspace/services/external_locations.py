"""External locations: where data would lie in a cloud, kept as they were sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.service.catalog import ExternalLocationInfo

from laketop.workspace.kept import Record
from laketop.workspace.metastore_objects import MetastoreObjects
from laketop.workspace.service import Fields, route

_URL = re.compile(r"(s3|s3a|abfss|gs|r2)://[^\s/][^\s]*")


class ExternalLocations(MetastoreObjects):
    """Locations, none within another, each with a credential that is there.

    Source: databricks-sdk, `catalog.ExternalLocationsAPI`; Databricks docs, error classes.
    """

    kind = "External Location"
    code = "EXTERNAL_LOCATION"
    shape = ExternalLocationInfo
    privilege = "CREATE EXTERNAL LOCATION"
    field = "external_locations"
    id_field = ""

    @route("POST /api/2.1/unity-catalog/external-locations")
    def create(self, fields: Fields) -> Record:
        """Keep a location. Errors: NotFound for its credential; BadRequest for an overlap."""
        more = self._credential(fields.get("credential_name"))
        self._check_url(fields.get("url"), None)
        return self._make(fields, isolation_mode="ISOLATION_MODE_OPEN", **more)

    @route("GET /api/2.1/unity-catalog/external-locations/{name}")
    def get(self, name: str) -> Record:
        """Return a location."""
        return self._get(name)

    @route("GET /api/2.1/unity-catalog/external-locations")
    def list(self, max_results: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the locations that the caller may see, by name, by pages."""
        return self._page(max_results, page_token)

    @route("PATCH /api/2.1/unity-catalog/external-locations/{name}")
    def update(self, name: str, fields: Fields) -> Record:
        """Change what was sent of a location."""
        old = self._managed(name)
        more: Mapping[str, Any] = {"credential_id": old["credential_id"]}
        if fields.get("url") is not None:
            self._check_url(fields["url"], str(old["name"]))
        if fields.get("credential_name") is not None:
            more = self._credential(fields["credential_name"])
        return self._change(name, fields, **more)

    @route("DELETE /api/2.1/unity-catalog/external-locations/{name}")
    def delete(self, name: str) -> None:
        """Forget a location; nothing lies in it."""
        self._drop(name)

    def names_with(self, credential: str) -> Any:
        """Return the names of the locations that name a credential."""
        return [one["name"] for one in self._kept.all() if one["credential_name"] == credential]

    def rename_credential(self, before: str, after: str) -> None:
        """Let the locations that name a credential name it by its new name."""
        for name in self.names_with(before) if before != after else ():
            self._kept.put(name, {**self._kept.existing(name), "credential_name": after})

    def _credential(self, name: Any) -> dict[str, Any]:
        if not isinstance(name, str) or not name:
            raise InvalidParameterValue("Missing required field: credential_name")
        found = self.workspace.credentials.for_storage(name)
        return {"credential_name": found["name"], "credential_id": found["id"]}

    def _check_url(self, url: Any, own: str | None) -> None:
        if not isinstance(url, str) or not _URL.fullmatch(url):
            raise InvalidParameterValue(
                f"The url {str(url)[:200]!r} is not s3://, abfss://, gs:// or r2:// and a place."
            )
        place = url.rstrip("/") + "/"
        for other in self._kept.all():
            theirs = str(other["url"]).rstrip("/") + "/"
            if other["name"] != own and (place.startswith(theirs) or theirs.startswith(place)):
                raise BadRequest(
                    f"Input path url '{url}' overlaps with the external location"
                    f" '{other['name']}'.",
                    error_code="INVALID_PARAMETER_VALUE",
                )

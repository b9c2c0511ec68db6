"""Connections to other databases: kept, without what is secret in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.catalog import ConnectionInfo

from laketop.workspace.kept import Record
from laketop.workspace.metastore_objects import MetastoreObjects
from laketop.workspace.service import Fields, route

_SECRET = re.compile("password|secret|token|private_?key|keyjson|access_?key", re.IGNORECASE)


class Connections(MetastoreObjects):
    """Connections, of which catalogs of other databases would be made.

    Source: databricks-sdk, `catalog.ConnectionsAPI`.
    """

    kind = "Connection"
    code = "CONNECTION"
    shape = ConnectionInfo
    privilege = "CREATE CONNECTION"
    field = "connections"
    id_field = "connection_id"

    @route("POST /api/2.1/unity-catalog/connections")
    def create(self, fields: Fields) -> Record:
        """Keep a connection, without the options that hold secrets."""
        for field in ("connection_type", "options"):
            if not fields.get(field):
                raise InvalidParameterValue(f"Missing required field: {field}")
        return self._make(_without_secrets(fields), securable_type="CONNECTION")

    @route("GET /api/2.1/unity-catalog/connections/{name}")
    def get(self, name: str) -> Record:
        """Return a connection."""
        return self._get(name)

    @route("GET /api/2.1/unity-catalog/connections")
    def list(self, max_results: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the connections that the caller may see, by name, by pages."""
        return self._page(max_results, page_token)

    @route("PATCH /api/2.1/unity-catalog/connections/{name}")
    def update(self, name: str, fields: Fields) -> Record:
        """Change options, name or owner of a connection."""
        old = self._managed(name)
        return self._change(name, _without_secrets(fields), connection_type=old["connection_type"])

    @route("DELETE /api/2.1/unity-catalog/connections/{name}")
    def delete(self, name: str) -> None:
        """Forget a connection."""
        self._drop(name)


def _without_secrets(sent: Mapping[str, Any]) -> dict[str, Any]:
    options = sent.get("options")
    kept = {name: value for name, value in sent.items() if name != "secrets"}
    if isinstance(options, dict):
        kept["options"] = {k: v for k, v in options.items() if not _SECRET.search(k)}
    return kept

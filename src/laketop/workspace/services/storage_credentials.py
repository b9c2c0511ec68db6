"""Credentials for storage, by the older of their two APIs."""

from __future__ import annotations

from typing import Any

from laketop.workspace.kept import Record
from laketop.workspace.service import Fields, Service, route


class StorageCredentials(Service):
    """The `credentials` whose purpose is storage.

    Source: databricks-sdk, `catalog.StorageCredentialsAPI`.
    """

    shared = True

    @route("POST /api/2.1/unity-catalog/storage-credentials")
    def create(self, fields: Fields) -> Record:
        """Keep a credential of one cloud."""
        return _shown(self.workspace.credentials.make(fields, "STORAGE"))

    @route("GET /api/2.1/unity-catalog/storage-credentials/{name}")
    def get(self, name: str) -> Record:
        """Return a credential for storage."""
        return _shown(self.workspace.credentials.for_storage(name))

    @route("GET /api/2.1/unity-catalog/storage-credentials")
    def list(self, max_results: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the credentials for storage that the caller may see, by name, by pages."""
        page = self.workspace.credentials.stored(max_results, page_token)
        credentials = page.pop("credentials")
        return {"storage_credentials": [_shown(one) for one in credentials], **page}

    @route("PATCH /api/2.1/unity-catalog/storage-credentials/{name}")
    def update(self, name: str, fields: Fields) -> Record:
        """Change what was sent of a credential."""
        self.workspace.credentials.for_storage(name)
        return _shown(self.workspace.credentials.change(name, fields))

    @route("DELETE /api/2.1/unity-catalog/storage-credentials/{name}")
    def delete(self, name: str, force: bool = False) -> None:
        """Forget a credential. Errors: BadRequest if a location names it, unless by `force`."""
        self.workspace.credentials.for_storage(name)
        self.workspace.credentials.drop(name, force=force)


def _shown(credential: Record) -> Record:
    return {name: value for name, value in credential.items() if name != "purpose"}

"""Groups of principals, by SCIM 2."""

from __future__ import annotations

import functools
from typing import Any

from laketop.workspace.directory import Directory
from laketop.workspace.service import Fields, Service, route


class Groups(Service):
    """Groups of principals. Source: RFC 7644, databricks-sdk `iam.GroupsV2API`."""

    shared = True

    @functools.cached_property
    def _directory(self) -> Directory:
        return Directory(self.workspace, "Groups")

    @route("GET /api/2.0/preview/scim/v2/Groups")
    def list(self, fields: Fields) -> dict[str, Any]:
        """Return the groups that a filter lets through, by pages."""
        return self._directory.list(fields)

    @route("POST /api/2.0/preview/scim/v2/Groups")
    def create(self, fields: Fields) -> dict[str, Any]:
        """Make a group."""
        return self._directory.create(fields)

    @route("GET /api/2.0/preview/scim/v2/Groups/{id}")
    def get(self, id: str, fields: Fields) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Return a group."""
        return self._directory.get(id, fields)

    @route("PUT /api/2.0/preview/scim/v2/Groups/{id}")
    def update(self, id: str, fields: Fields) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Replace a group."""
        return self._directory.replace(id, fields)

    @route("PATCH /api/2.0/preview/scim/v2/Groups/{id}")
    def patch(self, id: str, fields: Fields) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Change attributes of a group."""
        return self._directory.patch(id, fields)

    @route("DELETE /api/2.0/preview/scim/v2/Groups/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the wire's name
        """Forget a group."""
        self._directory.delete(id)

"""Users, by SCIM 2."""

from __future__ import annotations

import functools
from typing import Any

from laketop.workspace.directory import Directory
from laketop.workspace.service import Fields, Service, route


class Users(Service):
    """Users. Source: RFC 7644, databricks-sdk `iam.UsersV2API`."""

    shared = True

    @functools.cached_property
    def _directory(self) -> Directory:
        return Directory(self.workspace, "Users")

    @route("GET /api/2.0/preview/scim/v2/Users")
    def list(self, fields: Fields) -> dict[str, Any]:
        """Return the users that a filter lets through, by pages."""
        return self._directory.list(fields)

    @route("POST /api/2.0/preview/scim/v2/Users")
    def create(self, fields: Fields) -> dict[str, Any]:
        """Make a user."""
        return self._directory.create(fields)

    @route("GET /api/2.0/preview/scim/v2/Users/{id}")
    def get(self, id: str, fields: Fields) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Return a user."""
        return self._directory.get(id, fields)

    @route("PUT /api/2.0/preview/scim/v2/Users/{id}")
    def update(self, id: str, fields: Fields) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Replace a user."""
        return self._directory.replace(id, fields)

    @route("PATCH /api/2.0/preview/scim/v2/Users/{id}")
    def patch(self, id: str, fields: Fields) -> dict[str, Any]:  # noqa: A002 - the wire's name
        """Change attributes of a user."""
        return self._directory.patch(id, fields)

    @route("DELETE /api/2.0/preview/scim/v2/Users/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the wire's name
        """Forget a user and its tokens."""
        self._directory.delete(id)

"""The current user: who a token speaks for."""

from __future__ import annotations

import uuid
from typing import Any

from laketop.workspace.service import Service, route

_USERS = uuid.UUID("6f1f4a3e-5f0b-4a8e-9a55-3c0c6e0f6b3a")
"""Namespace from which a user's id follows from the user's name."""


class CurrentUser(Service):
    """The user of the request in hand, as SCIM writes a user."""

    @route("GET /api/2.0/preview/scim/v2/Me")
    def me(self) -> dict[str, Any]:
        """Return the caller.

        Source: workspace-api 1, the SDK's `iam.User`.
        """
        user = self.workspace.user
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": str(uuid.uuid5(_USERS, user).int % 10**16),
            "userName": user,
            "displayName": user.partition("@")[0],
            "active": True,
            "emails": [{"value": user, "primary": True, "type": "work"}],
            "groups": [{"display": "users"}, {"display": "admins"}],
        }

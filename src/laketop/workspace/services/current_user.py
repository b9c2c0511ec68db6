"""The current user: who a token speaks for."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import NotFound
from databricks.sdk.service.iam import UserSchema

from laketop.workspace import scim
from laketop.workspace.service import Fields, Service, route

_USER = UserSchema.URN_IETF_PARAMS_SCIM_SCHEMAS_CORE_2_0_USER.value


class CurrentUser(Service):
    """The user of the request in hand, as SCIM writes a user."""

    @route("GET /api/2.0/preview/scim/v2/Me")
    def me(self, fields: Fields) -> dict[str, Any]:
        """Return the caller, a service principal with its application id as user name.

        Source: workspace-api 1, the SDK's `iam.User`.
        """
        found = self.workspace.principals.find(self.workspace.user)
        if found is None:
            raise NotFound(f"The user {self.workspace.user} is not in this workspace.")
        kind, shown = found
        if kind == "ServicePrincipals":
            own = {name: value for name, value in shown.items() if name != "applicationId"}
            shown = {**own, "userName": shown["applicationId"], "schemas": [_USER]}
        attributes, excluded = fields.get("attributes"), fields.get("excludedAttributes")
        return scim.chosen(
            None if attributes is None else str(attributes),
            None if excluded is None else str(excluded),
        )(shown)

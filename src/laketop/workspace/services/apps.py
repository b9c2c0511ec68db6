"""Databricks Apps: kept as they were sent, and stopped."""

from __future__ import annotations

import re
import uuid
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.apps import App

from laketop.workspace.kept import Record, iso
from laketop.workspace.permitted import PermittedService
from laketop.workspace.service import Fields, route

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
_SENT = (
    *("budget_policy_id", "compute_size", "default_source_code_path", "description"),
    *("forward_user_access_token", "git_repository", "resources", "space"),
    *("telemetry_export_destinations", "usage_policy_id", "user_api_scopes"),
)
"""What a client says of an app; all else is told to it."""
_STOPPED = {
    "compute_status": {"state": "STOPPED", "message": "laketop runs no apps."},
    "app_status": {"state": "UNAVAILABLE", "message": "laketop runs no apps."},
}


class Apps(PermittedService):
    """Apps, none of which is deployed or started. Source: databricks-sdk, `apps.AppsAPI`."""

    kind = "App"
    shape = App
    objects = "apps"
    id_field = "name"

    @route("POST /api/2.0/apps")
    def create(self, fields: Fields) -> Record:
        """Keep an app, which stays stopped."""
        sent = self._kept.checked(fields)
        name = sent["name"]
        if not _NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"The app name {name[:200]!r} is not 1 to 30 small letters, digits and hyphens."
            )
        now, user = iso(self.workspace.now_ms()), self.workspace.user
        made = {field: value for field, value in sent.items() if field in _SENT}
        made |= {"name": name, "id": str(uuid.uuid4()), "creator": user, "updater": user}
        return self._kept.add(name, {**made, **_STOPPED, "create_time": now, "update_time": now})

    @route("GET /api/2.0/apps/{name}")
    def get(self, name: str) -> Record:
        """Return an app."""
        return self._require(name, "CAN_USE")

    @route("GET /api/2.0/apps")
    def list(
        self, page_size: int = 0, page_token: str | None = None, space: str | None = None
    ) -> dict[str, Any]:
        """Return the apps that the caller may use, by name, by pages."""
        seen = self._allowed("CAN_USE")
        return self._kept.page(
            "apps",
            page_size,
            page_token,
            lambda one: space in {None, one.get("space")} and seen(one),
        )

    @route("PATCH /api/2.0/apps/{name}")
    def update(self, name: str, fields: Fields) -> Record:
        """Change what was sent of an app."""
        old = self._require(name, "CAN_MANAGE")
        sent = self._kept.checked({**fields, "name": name})
        new = {field: value for field, value in sent.items() if field in _SENT}
        stamp = {"updater": self.workspace.user, "update_time": iso(self.workspace.now_ms())}
        return self._kept.put(name, {**old, **new, **stamp})

    @route("DELETE /api/2.0/apps/{name}")
    def delete(self, name: str) -> Record:
        """Forget an app, and return it as it was."""
        self._require(name, "CAN_MANAGE")
        self.workspace.workspace_entity_tag_assignments.forget("apps", name)
        return self._forget(name)

    @route("GET /api/2.0/apps/{app_name}/deployments")
    def list_deployments(self, app_name: str) -> dict[str, Any]:
        """Return the deployments of an app, which are none."""
        self._require(app_name, "CAN_USE")
        return {"app_deployments": []}

    @route("GET /api/2.0/apps/{app_name}/deployments/{deployment_id}")
    def get_deployment(self, app_name: str, deployment_id: str) -> None:
        """Return a deployment. Errors: ResourceDoesNotExist, for there is none."""
        self._require(app_name, "CAN_USE")
        raise ResourceDoesNotExist(
            f"The deployment {deployment_id[:100]!r} of app {app_name!r} does not exist."
        )

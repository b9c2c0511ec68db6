"""Templates of which apps would be made: kept as they were sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.apps import CustomTemplate

from laketop.workspace.kept import Kept, Record
from laketop.workspace.service import Fields, Service, route


class AppsSettings(Service):
    """Custom templates. Source: databricks-sdk, `apps.AppsSettingsAPI`."""

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("templates"), "Template", CustomTemplate)

    @route("POST /api/2.0/apps-settings/templates")
    def create_custom_template(self, fields: Fields) -> Record:
        """Keep a template under its name."""
        template = self._template(fields)
        return self._kept.add(template["name"], {**template, "creator": self.workspace.user})

    @route("GET /api/2.0/apps-settings/templates/{name}")
    def get_custom_template(self, name: str) -> Record:
        """Return a template."""
        return self._kept.existing(name)

    @route("GET /api/2.0/apps-settings/templates")
    def list_custom_templates(
        self, page_size: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the templates by name, by pages."""
        return self._kept.page("templates", page_size, page_token)

    @route("PUT /api/2.0/apps-settings/templates/{name}")
    def update_custom_template(self, name: str, fields: Fields) -> Record:
        """Replace a template, which keeps its name."""
        template = self._template({**fields, "name": name})
        creator = self._kept.existing(name)["creator"]
        return self._kept.put(name, {**template, "creator": creator})

    @route("DELETE /api/2.0/apps-settings/templates/{name}")
    def delete_custom_template(self, name: str) -> Record:
        """Forget a template, and return it as it was."""
        self.workspace.require_admin()
        return self._kept.remove(name)

    def _template(self, fields: Mapping[str, Any]) -> Record:
        self.workspace.require_admin()
        template = self._kept.checked(fields, without=("creator",))
        for field in ("name", "git_repo", "git_provider"):
            if not template[field]:
                raise InvalidParameterValue(f"Missing required field: {field}")
        return template

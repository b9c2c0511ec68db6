"""Switches of a workspace, kept as they were sent, but for those that would govern something."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.service import Fields, Request, Service, route

_STATE = {
    "enableDbfsFileBrowser": "false",
    "enableDcs": "false",
    "enableExportNotebook": "true",
    "enableNotebookTableClipboard": "true",
    "enableResultsDownloading": "true",
    "enableTokensConfig": "true",
    "enableUploadDataUis": "true",
    "enableVerboseAuditLogs": "false",
    "enableWebTerminal": "false",
    "enableDeprecatedClusterNamedInitScripts": "false",
    "enableDeprecatedGlobalInitScripts": "false",
    "enableGp3": "false",
    "enableIpAccessLists": "false",
    "enableProjectTypeInWorkspace": "true",
    "enableWorkspaceFilesystem": "true",
    "maxTokenLifetimeDays": "",
    "maxUserInactiveDays": "",
    "storeInteractiveNotebookResultsInCustomerAccount": "false",
}
"""What each is from the start; the switches are those of a page that laketop has not."""
_GOVERNING = {
    "enableDcs": ("false",),
    "enableIpAccessLists": ("false", "true"),
    "enableTokensConfig": ("true",),
    "enableVerboseAuditLogs": ("false",),
    "enableWebTerminal": ("false",),
    "enableDeprecatedClusterNamedInitScripts": ("false",),
    "enableDeprecatedGlobalInitScripts": ("false",),
    "enableWorkspaceFilesystem": ("true",),
    "maxTokenLifetimeDays": ("", "0"),
    "maxUserInactiveDays": ("", "0"),
}
"""Those that say what may be done, with the values that are true of laketop."""


class WorkspaceConf(Service):
    """Switches by name. Source: databricks-sdk, `settings.WorkspaceConfAPI`."""

    @property
    def _switches(self) -> Any:
        return self.table("switches")

    @route("GET /api/2.0/workspace-conf")
    def get_status(self, keys: str) -> dict[str, str]:
        """Return the switches that `keys` names by commas. Errors: InvalidParameterValue."""
        self.workspace.require_admin()
        names = keys.split(",")
        for name in names:
            _check_name(name)
        return {name: self._switches.get(name, _STATE[name]) for name in names}

    @route("PATCH /api/2.0/workspace-conf")
    def set_status(self, fields: Fields, request: Request) -> None:
        """Change switches, all or none. Errors: NotImplemented for what would not hold here."""
        self.workspace.require_admin()
        for name, value in fields.items():
            _check_name(name)
            if not isinstance(value, str):
                raise InvalidParameterValue(f"The value of {name!r} is not a string.")
            if value.lower() not in _GOVERNING.get(name, (value.lower(),)):
                raise NotServed(f"laketop does not do what {name!r} would with {value[:100]!r}.")
        for name, value in fields.items():
            self._switches[name] = value.lower()
        if "enableIpAccessLists" in fields:
            self.workspace.ip_access_lists.settle(request.address)

    def is_on(self, name: str) -> bool:
        """Tell whether a switch is on, inside a transaction."""
        return bool(self._switches.get(name, _STATE[name]) == "true")


def _check_name(name: str) -> None:
    if name not in _STATE:
        raise InvalidParameterValue(f"Invalid keys: [{name[:100]!r}]")

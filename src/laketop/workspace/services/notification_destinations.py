"""Places that notifications go to: kept, and nothing is sent to them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceAlreadyExists
from databricks.sdk.service.settings import Config, NotificationDestination

from laketop.workspace.kept import Kept, Record, fields_of
from laketop.workspace.service import Service, route

_TYPES: Mapping[str, str] = {
    "email": "EMAIL",
    "slack": "SLACK",
    "generic_webhook": "WEBHOOK",
    "microsoft_teams": "MICROSOFT_TEAMS",
    "pagerduty": "PAGERDUTY",
}
_SECRET = (
    *("app_id", "auth_secret", "channel_id", "channel_url", "integration_key", "oauth_token"),
    *("password", "tenant_id", "url", "username"),
)
"""Fields of which is told only that they are set; they are not kept, for nothing would use them."""


class NotificationDestinations(Service):
    """Destinations as objects. Source: databricks-sdk, `settings.NotificationDestinationsAPI`."""

    @property
    def _kept(self) -> Kept:
        table = self.table("destinations")
        return Kept(table, "Notification destination", NotificationDestination)

    @route("POST /api/2.0/notification-destinations")
    def create(self, display_name: str, config: dict[str, Any]) -> Record:
        """Keep a destination; of secrets only that they are set."""
        self.workspace.require_admin()
        self._check_name(display_name, None)
        id_ = str(uuid.uuid4())
        made = {"id": id_, "display_name": display_name, **_config(config)}
        return self._kept.add(id_, made)

    @route("GET /api/2.0/notification-destinations/{id}")
    def get(self, id: str) -> Record:  # noqa: A002 - the name on the wire
        """Return a destination."""
        self.workspace.require_admin()
        return self._kept.existing(id)

    @route("GET /api/2.0/notification-destinations")
    def list(self, page_size: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return name and type of the destinations, by pages."""
        page = self._kept.page("results", page_size, page_token)
        shown = [{k: v for k, v in one.items() if k != "config"} for one in page["results"]]
        return {**page, "results": shown}

    @route("PATCH /api/2.0/notification-destinations/{id}")
    def update(
        self,
        id: str,  # noqa: A002 - the name on the wire
        display_name: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> Record:
        """Change the name of a destination, or where it is; its type stays."""
        self.workspace.require_admin()
        kept = self._kept.existing(id)
        new = {} if config is None else _config(config)
        if new and new["destination_type"] != kept["destination_type"]:
            raise InvalidParameterValue("The type of a destination cannot be changed.")
        if display_name is not None:
            self._check_name(display_name, id)
            kept["display_name"] = display_name
        return self._kept.put(id, {**kept, **new})

    @route("DELETE /api/2.0/notification-destinations/{id}")
    def delete(self, id: str) -> None:  # noqa: A002 - the name on the wire
        """Forget a destination."""
        self.workspace.require_admin()
        self._kept.remove(id)

    def existing(self, name: str) -> Record:
        """Return a destination whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        return self._kept.existing(name)

    def _check_name(self, name: str, own: str | None) -> None:
        if not name:
            raise InvalidParameterValue("Missing required field: display_name")
        if any(one["display_name"] == name and one["id"] != own for one in self._kept.all()):
            raise ResourceAlreadyExists(f"Notification destination '{name[:200]}' already exists.")


def _config(sent: dict[str, Any]) -> Record:
    config = fields_of(Config, sent)
    if len(config) != 1 or next(iter(config)) not in _TYPES:
        raise InvalidParameterValue(f"A config has one of {', '.join(_TYPES)}.")
    ((kind, value),) = config.items()
    told = value if kind == "email" else _without_secrets(value)
    return {"destination_type": _TYPES[kind], "config": {kind: told}}


def _without_secrets(value: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}_set": True for name in _SECRET if value.get(name)}

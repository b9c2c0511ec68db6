"""AI/BI dashboards: kept as drafts and as they were published, and drawn by nobody."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceConflict,
    ResourceDoesNotExist,
)
from databricks.sdk.service.dashboards import Dashboard, Schedule, Subscription

from laketop.workspace.kept import Kept, Record, fields_of, iso
from laketop.workspace.permitted import CREATOR, PermittedService, check_cron
from laketop.workspace.service import Fields, route

_DASHBOARDS = "/api/2.0/lakeview/dashboards"
_SCHEDULES = f"{_DASHBOARDS}/{{dashboard_id}}/schedules"
_SUBSCRIPTIONS = f"{_SCHEDULES}/{{schedule_id}}/subscriptions"
_SET_BY_US = (
    *("dashboard_id", "path", "etag", "lifecycle_state", "create_time", "update_time"),
    *("schedule_id", "subscription_id", "created_by_user_id"),
)


class Lakeview(PermittedService):
    """Dashboards, their schedules and who subscribes to those; no schedule fires.

    Source: databricks-sdk, `dashboards.LakeviewAPI`.
    """

    kind = "Dashboard"
    shape = Dashboard
    objects = "dashboards"
    id_field = "dashboard_id"

    @property
    def _schedules(self) -> Kept:
        return Kept(self.table("schedules"), "Schedule", Schedule)

    @property
    def _subscriptions(self) -> Kept:
        return Kept(self.table("subscriptions"), "Subscription", Subscription)

    # --- drafts ---

    @route(f"POST {_DASHBOARDS}")
    def create(self, fields: Fields) -> Record:
        """Keep a new draft in a folder, from the start the caller's own."""
        sent = self._checked(fields)
        if not sent.get("display_name"):
            raise InvalidParameterValue("Missing required field: display_name")
        folder = sent.get("parent_path") or f"/Users/{self.workspace.user}"
        folder = "/" + folder.strip("/").removeprefix("Workspace/")
        self.workspace.permissions.require_path(folder, "CAN_EDIT")
        id_, now = uuid.uuid4().hex, iso(self.workspace.now_ms())
        made = {**sent, "parent_path": folder, "dashboard_id": id_, "lifecycle_state": "ACTIVE"}
        made |= {"create_time": now, "update_time": now, CREATOR: self.workspace.user}
        made |= {"path": self._free_path(folder, sent["display_name"], id_), "etag": "1"}
        return _shown(self._kept.add(id_, made))

    @route(f"GET {_DASHBOARDS}/{{dashboard_id}}")
    def get(self, dashboard_id: str) -> Record:
        """Return a draft, of what is in the trash too."""
        return _shown(self._require(dashboard_id, "CAN_READ"))

    @route(f"GET {_DASHBOARDS}")
    def list(
        self, page_size: int = 0, page_token: str | None = None, show_trashed: bool = False
    ) -> dict[str, Any]:
        """Return the dashboards that the caller may see, by pages, without their contents."""
        seen = self._allowed("CAN_READ")
        page = self._kept.page(
            "dashboards",
            page_size,
            page_token,
            lambda one: (show_trashed or one["lifecycle_state"] == "ACTIVE") and seen(one),
        )
        shown = [_shown(one) for one in page["dashboards"]]
        for one in shown:
            one.pop("serialized_dashboard", None)
        return {**page, "dashboards": shown}

    @route(f"PATCH {_DASHBOARDS}/{{dashboard_id}}")
    def update(self, dashboard_id: str, fields: Fields) -> Record:
        """Change what was sent of a draft. Errors: ResourceConflict for an older etag."""
        old = self._active(dashboard_id, "CAN_EDIT")
        _check_etag(old, fields.get("etag"))
        sent = self._checked(fields)
        sent.pop("parent_path", None)
        new = {**old, **sent}
        new["path"] = self._free_path(old["parent_path"], new["display_name"], dashboard_id)
        return _shown(self._kept.put(dashboard_id, self._stamped(new)))

    @route(f"DELETE {_DASHBOARDS}/{{dashboard_id}}")
    def trash(self, dashboard_id: str) -> None:
        """Put a dashboard into the trash, where it stays."""
        old = self._active(dashboard_id, "CAN_MANAGE")
        self._kept.put(dashboard_id, self._stamped({**old, "lifecycle_state": "TRASHED"}))
        self.workspace.workspace_entity_tag_assignments.forget("dashboards", dashboard_id)

    # --- publishing ---

    @route(f"POST {_DASHBOARDS}/{{dashboard_id}}/published")
    def publish(
        self, dashboard_id: str, embed_credentials: bool = True, warehouse_id: str | None = None
    ) -> Record:
        """Keep the draft as it is now as what is published."""
        old = self._active(dashboard_id, "CAN_EDIT")
        warehouse = warehouse_id or old.get("warehouse_id")
        if warehouse:
            self.workspace.warehouses.existing(warehouse)
        published = {
            "display_name": old["display_name"],
            "embed_credentials": embed_credentials,
            "revision_create_time": iso(self.workspace.now_ms()),
            **({"warehouse_id": warehouse} if warehouse else {}),
        }
        draft = {"published_dashboard": old.get("serialized_dashboard")}
        self._kept.put(dashboard_id, {**old, "published": {**published, **draft}})
        return published

    @route(f"GET {_DASHBOARDS}/{{dashboard_id}}/published")
    def get_published(self, dashboard_id: str) -> Record:
        """Return what is published of a dashboard."""
        published = _published(self._active(dashboard_id, "CAN_READ"))
        return {k: v for k, v in published.items() if k != "published_dashboard"}

    @route(f"DELETE {_DASHBOARDS}/{{dashboard_id}}/published")
    def unpublish(self, dashboard_id: str) -> None:
        """Let nothing of a dashboard be published."""
        old = self._active(dashboard_id, "CAN_EDIT")
        _published(old)
        self._kept.put(dashboard_id, {k: v for k, v in old.items() if k != "published"})

    @route(f"POST {_DASHBOARDS}/{{dashboard_id}}/revert")
    def revert(self, dashboard_id: str, etag: str | None = None) -> dict[str, Any]:
        """Let the draft be as what is published."""
        old = self._active(dashboard_id, "CAN_EDIT")
        _check_etag(old, etag)
        published = _published(old)
        new = {**old, "display_name": published["display_name"]}
        new["serialized_dashboard"] = published["published_dashboard"]
        new["path"] = self._free_path(old["parent_path"], new["display_name"], dashboard_id)
        return {"dashboard": _shown(self._kept.put(dashboard_id, self._stamped(new)))}

    # --- schedules and their subscriptions ---

    @route(f"POST {_SCHEDULES}")
    def create_schedule(self, dashboard_id: str, fields: Fields) -> Record:
        """Keep a schedule of a dashboard."""
        self._active(dashboard_id, "CAN_EDIT")
        id_, now = uuid.uuid4().hex, iso(self.workspace.now_ms())
        made = {"pause_status": "UNPAUSED", **_schedule(fields)}
        made |= {"dashboard_id": dashboard_id, "schedule_id": id_, "etag": "1"}
        made |= {"create_time": now, "update_time": now}
        return self._schedules.add(f"{dashboard_id}/{id_}", made)

    @route(f"GET {_SCHEDULES}/{{schedule_id}}")
    def get_schedule(self, dashboard_id: str, schedule_id: str) -> Record:
        """Return a schedule of a dashboard."""
        self._active(dashboard_id, "CAN_READ")
        return self._schedules.existing(f"{dashboard_id}/{schedule_id}")

    @route(f"GET {_SCHEDULES}")
    def list_schedules(
        self, dashboard_id: str, page_size: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the schedules of a dashboard, by pages."""
        self._active(dashboard_id, "CAN_READ")
        own = {"dashboard_id": dashboard_id}
        return self._schedules.page("schedules", page_size, page_token, _all_same(own))

    @route(f"PUT {_SCHEDULES}/{{schedule_id}}")
    def update_schedule(self, dashboard_id: str, schedule_id: str, fields: Fields) -> Record:
        """Replace a schedule. Errors: ResourceConflict for an older etag."""
        self._active(dashboard_id, "CAN_EDIT")
        old = self.get_schedule(dashboard_id, schedule_id)
        _check_etag(old, fields.get("etag"))
        stays = ("dashboard_id", "schedule_id", "create_time", "etag", "pause_status")
        new = {**{field: old[field] for field in stays}, **_schedule(fields)}
        return self._schedules.put(f"{dashboard_id}/{schedule_id}", self._stamped(new))

    @route(f"DELETE {_SCHEDULES}/{{schedule_id}}")
    def delete_schedule(self, dashboard_id: str, schedule_id: str, etag: str | None = None) -> None:
        """Forget a schedule and who subscribes to it."""
        self._active(dashboard_id, "CAN_EDIT")
        _check_etag(self.get_schedule(dashboard_id, schedule_id), etag)
        self._schedules.remove(f"{dashboard_id}/{schedule_id}")
        for one in self._subscriptions.all():
            if one["schedule_id"] == schedule_id:
                self._subscriptions.remove(_key(one))

    @route(f"POST {_SUBSCRIPTIONS}")
    def create_subscription(self, dashboard_id: str, schedule_id: str, fields: Fields) -> Record:
        """Let a user or a notification destination subscribe to a schedule."""
        self.get_schedule(dashboard_id, schedule_id)
        sent = fields_of(Subscription, fields, without=_SET_BY_US)
        self._check_subscriber(sent["subscriber"])
        id_, now = uuid.uuid4().hex, iso(self.workspace.now_ms())
        made = {**sent, "dashboard_id": dashboard_id, "schedule_id": schedule_id}
        made |= {"subscription_id": id_, "etag": "1", "create_time": now, "update_time": now}
        user = self.workspace.principals.id_of("Users", self.workspace.user)
        made |= {"created_by_user_id": user} if user is not None else {}
        same = {"schedule_id": schedule_id, "subscriber": sent["subscriber"]}
        if any(_all_same(same)(one) for one in self._subscriptions.all()):
            raise ResourceAlreadyExists("The subscriber has this schedule already.")
        return self._subscriptions.add(_key(made), made)

    @route(f"GET {_SUBSCRIPTIONS}/{{subscription_id}}")
    def get_subscription(self, dashboard_id: str, schedule_id: str, subscription_id: str) -> Record:
        """Return a subscription."""
        self.get_schedule(dashboard_id, schedule_id)
        return self._subscriptions.existing(f"{dashboard_id}/{schedule_id}/{subscription_id}")

    @route(f"GET {_SUBSCRIPTIONS}")
    def list_subscriptions(
        self,
        dashboard_id: str,
        schedule_id: str,
        page_size: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the subscriptions to a schedule, by pages."""
        self.get_schedule(dashboard_id, schedule_id)
        own = {"schedule_id": schedule_id}
        return self._subscriptions.page("subscriptions", page_size, page_token, _all_same(own))

    @route(f"DELETE {_SUBSCRIPTIONS}/{{subscription_id}}")
    def delete_subscription(
        self,
        dashboard_id: str,
        schedule_id: str,
        subscription_id: str,
        etag: str | None = None,
    ) -> None:
        """Forget a subscription."""
        found = self.get_subscription(dashboard_id, schedule_id, subscription_id)
        _check_etag(found, etag)
        self._subscriptions.remove(_key(found))

    def _active(self, dashboard_id: str, level: str) -> Record:
        found = self._require(dashboard_id, level)
        if found["lifecycle_state"] != "ACTIVE":
            raise ResourceDoesNotExist(f"Dashboard '{dashboard_id}' is in the trash.")
        return found

    def _checked(self, fields: Mapping[str, Any]) -> Record:
        sent = self._kept.checked(fields, without=_SET_BY_US)
        if "serialized_dashboard" in sent:
            _check_contents(sent["serialized_dashboard"])
        if sent.get("warehouse_id"):
            self.workspace.warehouses.existing(sent["warehouse_id"])
        return sent

    def _free_path(self, folder: str, name: str, own: str) -> str:
        if not name or "/" in name:
            raise InvalidParameterValue(f"{name[:200]!r} is no name of a dashboard.")
        path = f"{folder.rstrip('/')}/{name}.lvdash.json"
        for one in self._kept.all():
            is_other = one["dashboard_id"] != own and one["lifecycle_state"] == "ACTIVE"
            if is_other and one["path"] == path:
                raise ResourceAlreadyExists(f"A dashboard at {path[:500]!r} already exists.")
        return path

    def _stamped(self, one: Record) -> Record:
        now = iso(self.workspace.now_ms())
        return {**one, "update_time": now, "etag": str(int(one["etag"]) + 1)}

    def _check_subscriber(self, subscriber: Mapping[str, Any]) -> None:
        user, place = (subscriber.get(f"{kind}_subscriber") for kind in ("user", "destination"))
        if bool(user) == bool(place):
            raise InvalidParameterValue("A subscriber is a user or a destination.")
        if user:
            self.workspace.principals.get("Users", str(user["user_id"]))
        elif place:
            self.workspace.notification_destinations.existing(str(place["destination_id"]))


def _shown(dashboard: Record) -> Record:
    return {k: v for k, v in dashboard.items() if k not in {CREATOR, "published"}}


def _published(dashboard: Record) -> Record:
    found: Record | None = dashboard.get("published")
    if found is None:
        raise ResourceDoesNotExist(f"Dashboard '{dashboard['dashboard_id']}' is not published.")
    return found


def _check_etag(old: Record, etag: Any) -> None:
    if etag is not None and etag != old["etag"]:
        raise ResourceConflict(f"The etag {str(etag)[:100]!r} is older than what it is of.")


def _check_contents(text: str) -> None:
    try:
        contents = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The serialized_dashboard is not JSON.") from error
    if not isinstance(contents, dict):
        raise BadRequest("The serialized_dashboard is not a JSON object.")


def _schedule(fields: Mapping[str, Any]) -> Record:
    sent = fields_of(Schedule, fields, without=_SET_BY_US)
    cron = sent["cron_schedule"]
    check_cron(cron["quartz_cron_expression"], cron["timezone_id"])
    return sent


def _key(subscription: Record) -> str:
    parts = ("dashboard_id", "schedule_id", "subscription_id")
    return "/".join(str(subscription[part]) for part in parts)


def _all_same(values: Mapping[str, Any]) -> Any:
    return lambda one: all(one.get(field) == value for field, value in values.items())

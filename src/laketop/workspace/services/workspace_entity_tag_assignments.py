"""Tags of apps and dashboards."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.tags import TagAssignment

from laketop.workspace.kept import Kept, Record, check_mask
from laketop.workspace.service import Fields, Service, route

_TYPES = {"apps": ("apps", "CAN_USE"), "dashboards": ("lakeview", "CAN_READ")}
"""By type of entity its service, and the level that it takes to see one."""
_PLACE = "/api/2.0/entity-tag-assignments/{entity_type}/{entity_id}/tags"


class WorkspaceEntityTagAssignments(Service):
    """Tags by entity and key. Source: databricks-sdk, `tags.WorkspaceEntityTagAssignmentsAPI`."""

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("tags"), "Tag assignment", TagAssignment)

    @route("POST /api/2.0/entity-tag-assignments")
    def create_tag_assignment(self, fields: Fields) -> Record:
        """Give an entity a tag that it has not."""
        sent = self._kept.checked(fields)
        type_, id_, key = sent["entity_type"], sent["entity_id"], sent["tag_key"]
        self._require(type_, id_, "CAN_MANAGE")
        self.workspace.tag_policies.check(key, sent.get("tag_value", ""))
        return self._kept.add(f"{type_}/{id_}/{key}", sent)

    @route(f"GET {_PLACE}/{{tag_key}}")
    def get_tag_assignment(self, entity_type: str, entity_id: str, tag_key: str) -> Record:
        """Return a tag of an entity."""
        self._require(entity_type, entity_id, None)
        return self._kept.existing(f"{entity_type}/{entity_id}/{tag_key}")

    @route(f"GET {_PLACE}")
    def list_tag_assignments(
        self,
        entity_type: str,
        entity_id: str,
        page_size: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the tags of an entity, by key, by pages."""
        self._require(entity_type, entity_id, None)
        return self._kept.page(
            "tag_assignments",
            page_size,
            page_token,
            lambda one: (one["entity_type"], one["entity_id"]) == (entity_type, entity_id),
        )

    @route(f"PATCH {_PLACE}/{{tag_key}}")
    def update_tag_assignment(
        self,
        *,
        entity_type: str,
        entity_id: str,
        tag_key: str,
        update_mask: str,
        tag_value: str = "",
    ) -> Record:
        """Give a tag of an entity another value."""
        check_mask(update_mask, "tag_value")
        self._require(entity_type, entity_id, "CAN_MANAGE")
        key = f"{entity_type}/{entity_id}/{tag_key}"
        old = self._kept.existing(key)
        self.workspace.tag_policies.check(tag_key, tag_value)
        return self._kept.put(key, {**old, "tag_value": tag_value})

    @route(f"DELETE {_PLACE}/{{tag_key}}")
    def delete_tag_assignment(self, entity_type: str, entity_id: str, tag_key: str) -> None:
        """Take a tag from an entity."""
        self._require(entity_type, entity_id, "CAN_MANAGE")
        self._kept.remove(f"{entity_type}/{entity_id}/{tag_key}")

    def forget(self, type_: str, id_: str) -> None:
        """Forget the tags of an entity that is gone."""
        for one in self._kept.all():
            if (one["entity_type"], one["entity_id"]) == (type_, id_):
                self._kept.remove(f"{type_}/{id_}/{one['tag_key']}")

    def _require(self, type_: str, id_: str, level: str | None) -> None:
        if type_ not in _TYPES:
            raise InvalidParameterValue(
                f"The entity_type {type_[:100]!r} is none of {', '.join(_TYPES)}."
            )
        service, least = _TYPES[type_]
        self.workspace.services[service].existing(id_)  # type: ignore[attr-defined]  # by name
        self.workspace.permissions.require(type_, id_, level or least)

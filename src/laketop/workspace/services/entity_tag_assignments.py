"""Tags of catalogs, schemas, tables, columns and volumes, without SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
)
from databricks.sdk.service.catalog import EntityTagAssignment

from laketop.workspace import lake
from laketop.workspace.kept import Record, check_mask, fields_of
from laketop.workspace.pages import page_of
from laketop.workspace.service import Fields, route
from laketop.workspace.unity_service import UnityService

_DEPTHS = {"catalogs": 1, "schemas": 2, "tables": 3, "columns": 4, "volumes": 3}
_PLACE = "/api/2.1/unity-catalog/entity-tag-assignments/{entity_type}/{entity_name}/tags"


class EntityTagAssignments(UnityService):
    """Tags in the files in which SQL keeps them, so that each shows what the other has set.

    Source: databricks-sdk, `catalog.EntityTagAssignmentsAPI`; Unity Catalog API.
    """

    @route("POST /api/2.1/unity-catalog/entity-tag-assignments")
    def create(self, fields: Fields) -> Record:
        """Give an entity a tag that it has not."""
        sent = fields_of(EntityTagAssignment, fields)
        type_, name = sent["entity_type"], sent["entity_name"]
        file, prefix = self._tagged(type_, name, apply=True)
        key, value = sent["tag_key"], sent.get("tag_value", "")
        self.workspace.tag_policies.check(key, value)

        def added(kept: lake.Entry) -> lake.Entry:
            if prefix + key in kept:
                raise ResourceAlreadyExists(f"The tag {key!r} of '{name[:200]}' already exists.")
            return {**kept, prefix + key: value}

        self._lake.change(file, added)
        return _shown(type_, name, key, value)

    @route(f"GET {_PLACE}/{{tag_key}}")
    def get(self, entity_type: str, entity_name: str, tag_key: str) -> Record:
        """Return a tag of an entity."""
        file, prefix = self._tagged(entity_type, entity_name)
        value = _existing(lake.read(file), prefix, tag_key, entity_name)
        return _shown(entity_type, entity_name, tag_key, value)

    @route(f"GET {_PLACE}")
    def list(
        self,
        entity_type: str,
        entity_name: str,
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the tags of an entity, by key, by pages."""
        file, prefix = self._tagged(entity_type, entity_name)
        kept = lake.read(file)
        own = {
            key.removeprefix(prefix): value
            for key, value in kept.items()
            if key.startswith(prefix) and ":" not in key.removeprefix(prefix)
        }
        keys, more = page_of(sorted(own), max_results, page_token)
        shown = [_shown(entity_type, entity_name, key, own[key]) for key in keys]
        return {"tag_assignments": shown, **more}

    @route(f"PATCH {_PLACE}/{{tag_key}}")
    def update(
        self,
        *,
        entity_type: str,
        entity_name: str,
        tag_key: str,
        update_mask: str,
        tag_value: str = "",
    ) -> Record:
        """Give a tag of an entity another value."""
        check_mask(update_mask, "tag_value")
        file, prefix = self._tagged(entity_type, entity_name, apply=True)

        def changed(kept: lake.Entry) -> lake.Entry:
            _existing(kept, prefix, tag_key, entity_name)
            self.workspace.tag_policies.check(tag_key, tag_value)
            return {**kept, prefix + tag_key: tag_value}

        self._lake.change(file, changed)
        return _shown(entity_type, entity_name, tag_key, tag_value)

    @route(f"DELETE {_PLACE}/{{tag_key}}")
    def delete(self, entity_type: str, entity_name: str, tag_key: str) -> None:
        """Take a tag from an entity."""
        file, prefix = self._tagged(entity_type, entity_name, apply=True)

        def left(kept: lake.Entry) -> lake.Entry:
            _existing(kept, prefix, tag_key, entity_name)
            return {key: value for key, value in kept.items() if key != prefix + tag_key}

        self._lake.change(file, left)

    def _tagged(self, type_: str, name: str, *, apply: bool = False) -> tuple[Path, str]:
        """Return the file of an entity's tags, and how the keys of its own begin there.

        Errors: PermissionDenied; NotFound; InvalidParameterValue for another type of entity.
        """
        if type_ not in _DEPTHS:
            raise InvalidParameterValue(
                f"The entity_type {type_[:100]!r} is none of {', '.join(_DEPTHS)}."
            )
        if type_ == "columns":
            table, _, column = name.rpartition(".")
            names, prefix = lake.parts(table, 3, "table"), f"tag:{column.lower()}:"
        else:
            names, prefix = lake.parts(name, _DEPTHS[type_], type_.removesuffix("s")), "tag:"
        kind = "TABLE" if type_ == "columns" else type_.removesuffix("s").upper()
        if apply:
            self._rights.require("APPLY TAG", kind, ".".join(names))
        else:
            self._rights.require_sees(kind, ".".join(names))
        self._check(type_, names, name.rpartition(".")[2].lower())
        if len(names) < 3:
            return self._lake.folder(*names) / "_tags.json", prefix
        return self._lake.entry("tags", *names), prefix

    def _check(self, type_: str, names: Any, column: str) -> None:
        if type_ == "catalogs":
            self._lake.catalog(*names)
        elif type_ == "schemas":
            self._lake.schema(*names)
        elif type_ == "volumes":
            self._lake.volume(*names)
        else:
            info = self.workspace.tables.get(".".join(names))
            columns = {one.name.lower() for one in info.columns or []}
            if type_ == "columns" and column not in columns:
                raise NotFound(f"Column '{column[:200]}' does not exist in '{'.'.join(names)}'.")


def _existing(kept: dict[str, str], prefix: str, key: str, name: str) -> str:
    if ":" in key or prefix + key not in kept:
        raise NotFound(f"The tag {key[:200]!r} of '{name[:200]}' does not exist.")
    return kept[prefix + key]


def _shown(type_: str, name: str, key: str, value: str) -> Record:
    own = {"tag_value": value} if value else {}
    return {"entity_type": type_, "entity_name": name, "tag_key": key, **own}

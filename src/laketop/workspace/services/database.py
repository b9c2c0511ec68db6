"""Instances of Postgres, their catalogs and synced tables: kept as sent, and never started."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
)
from databricks.sdk.service.database import (
    DatabaseCatalog,
    DatabaseInstance,
    DatabaseInstanceState,
    SyncedDatabaseTable,
)

from laketop.workspace import lake
from laketop.workspace.kept import Kept, Record, iso, masked
from laketop.workspace.service import Fields, Service, route

_OBJECTS = "database-instances"
"""What the permissions API calls instances."""
_CHANGED = (
    *("capacity", "custom_tags", "enable_pg_native_login", "enable_readable_secondaries"),
    *("node_count", "retention_window_in_days", "stopped", "usage_policy_id"),
)
"""What a client says of an instance, and may say anew."""
_TOLD_AS_SENT = ("capacity", "custom_tags", "usage_policy_id")
"""What answers tell under its own name too; the rest they tell as effective alone."""
_DEFAULTS: Mapping[str, Any] = {
    "enable_pg_native_login": False,
    "enable_readable_secondaries": False,
    "node_count": 1,
    "retention_window_in_days": 7,
    "stopped": False,
}
"""Source: databricks-sdk, `database.DatabaseInstance`."""


class Database(Service):
    """Objects of `w.database`: instances are stopped, and no table is synced.

    Who made an instance, and whom its permissions let manage it, change it and what it has.
    Source: databricks-sdk, `database.DatabaseAPI`.
    """

    @property
    def _instances(self) -> Kept:
        return Kept(self.table("instances"), "Database instance", DatabaseInstance)

    @property
    def _catalogs(self) -> Kept:
        return Kept(self.table("catalogs"), "Database catalog", DatabaseCatalog)

    @property
    def _synced(self) -> Kept:
        return Kept(self.table("synced_tables"), "Synced table", SyncedDatabaseTable)

    @route("POST /api/2.0/database/instances")
    def create_instance(self, fields: Fields) -> Record:
        """Keep an instance, which stays stopped."""
        sent = self._instances.checked(fields)
        if sent.get("parent_instance_ref"):
            raise BadRequest("laketop has no instance of another's past: parent_instance_ref.")
        made = {
            "name": sent["name"],
            "uid": str(uuid.uuid4()),
            "creator": self.workspace.user,
            "creation_time": iso(self.workspace.now_ms()),
            "state": DatabaseInstanceState.STOPPED.value,
        }
        asked = {field: sent[field] for field in _CHANGED if field in sent}
        return _told(self._instances.add(sent["name"], {**asked, **made}))

    @route("GET /api/2.0/database/instances")
    def list_instances(self, page_size: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the instances, by name, by pages."""
        page = self._instances.page("database_instances", page_size, page_token)
        return {**page, "database_instances": [_told(one) for one in page["database_instances"]]}

    @route("GET /api/2.0/database/instances:findByUid")
    def find_instance(self, uid: str) -> Record:
        """Return the instance of an id."""
        for one in self._instances.all():
            if one["uid"] == uid:
                return _told(one)
        raise NotFound(f"There is no database instance of uid {uid[:100]!r}.")

    @route("GET /api/2.0/database/instances/{name}")
    def get_instance(self, name: str) -> Record:
        """Return an instance."""
        return _told(self._instances.existing(name))

    @route("PATCH /api/2.0/database/instances/{name}")
    def update_instance(self, name: str, fields: Fields, update_mask: str) -> Record:
        """Change what the mask names of an instance."""
        old = self._managed(name)
        sent = self._instances.checked({**fields, "name": name})
        fixed = {*DatabaseInstance.__dataclass_fields__} - {*_CHANGED}
        new = masked(old, sent, update_mask, shape=DatabaseInstance, fixed=fixed)
        return _told(self._instances.put(name, new))

    @route("DELETE /api/2.0/database/instances/{name}")
    def delete_instance(self, name: str) -> None:
        """Forget an instance that has neither catalogs nor synced tables."""
        self._managed(name)
        held = self._of(self._catalogs, name) + self._of(self._synced, name)
        if held:
            raise BadRequest(f"Database instance '{name}' has {held[0]['name']!r}.")
        self._instances.remove(name)
        self.workspace.permissions.forget(_OBJECTS, name)

    @route("POST /api/2.0/database/catalogs")
    def create_catalog(self, fields: Fields) -> Record:
        """Keep the catalog of a database; Unity Catalog has none of its name for that."""
        sent = self._catalogs.checked(fields, without=("uid",))
        sent["name"] = lake.parts(sent["name"], 1, "catalog")[0]
        self._managed(sent["database_instance_name"])
        return self._catalogs.add(sent["name"], {**sent, "uid": str(uuid.uuid4())})

    @route("GET /api/2.0/database/catalogs/{name}")
    def get_catalog(self, name: str) -> Record:
        """Return the catalog of a database."""
        return self._catalogs.existing(name.lower())

    @route("DELETE /api/2.0/database/catalogs/{name}")
    def delete_catalog(self, name: str) -> None:
        """Forget the catalog of a database that has no synced tables."""
        found = self._catalogs.existing(name.lower())
        self._managed(found["database_instance_name"])
        for one in self._synced.all():
            if one["name"].startswith(f"{found['name']}."):
                raise BadRequest(f"Database catalog '{found['name']}' has {one['name']!r}.")
        self._catalogs.remove(found["name"])

    @route("POST /api/2.0/database/synced_tables")
    def create_synced_table(self, fields: Fields) -> Record:
        """Keep a synced table, which nothing fills."""
        sent = {
            field: value
            for field, value in self._synced.checked(fields).items()
            if field in {"name", "database_instance_name", "logical_database_name", "spec"}
        }
        sent["name"] = ".".join(lake.parts(sent["name"], 3, "table"))
        if not (sent.get("spec") or {}).get("source_table_full_name"):
            raise InvalidParameterValue("Missing required field: spec.source_table_full_name")
        instance, database = self._home(sent)
        self._managed(instance)
        effective = {
            "effective_database_instance_name": instance,
            "effective_logical_database_name": database,
        }
        return self._synced.add(sent["name"], {**sent, **effective})

    @route("GET /api/2.0/database/synced_tables/{name}")
    def get_synced_table(self, name: str) -> Record:
        """Return a synced table."""
        return self._synced.existing(name.lower())

    @route("DELETE /api/2.0/database/synced_tables/{name}")
    def delete_synced_table(self, name: str) -> None:
        """Forget a synced table."""
        found = self._synced.existing(name.lower())
        self._managed(found["effective_database_instance_name"])
        self._synced.remove(found["name"])

    def existing(self, name: str) -> Record:
        """Return an instance as it is kept, whoever asks. Errors: NotFound."""
        return self._instances.existing(name)

    def _managed(self, name: str) -> Record:
        found = self.existing(name)
        self.workspace.permissions.require(_OBJECTS, name, "CAN_MANAGE")
        return found

    def _home(self, table: Record) -> tuple[str, str]:
        """Return the instance and the database of a synced table: those of its catalog, or its own.

        Errors: InvalidParameterValue for others than its catalog's, or for none.
        """
        catalog = self.table("catalogs").get(table["name"].partition(".")[0])
        found = []
        for own, of_catalog in (
            ("database_instance_name", "database_instance_name"),
            ("logical_database_name", "database_name"),
        ):
            named = table.get(own)
            known = catalog[of_catalog] if catalog else named
            if not known:
                raise InvalidParameterValue(f"Missing required field: {own}")
            if named not in {None, known}:
                raise InvalidParameterValue(f"{own} {named!r} is not its catalog's, {known!r}.")
            found.append(str(known))
        return found[0], found[1]

    def _of(self, kept: Kept, instance: str) -> list[Record]:
        named = ("effective_database_instance_name", "database_instance_name")
        return [one for one in kept.all() if instance in {one.get(field) for field in named}]


def _told(instance: Record) -> Record:
    """Return an instance as answers tell it: what holds, under names of its own."""
    holds = {**_DEFAULTS, **{field: instance[field] for field in _CHANGED if field in instance}}
    effective = {f"effective_{field}": value for field, value in holds.items()}
    own = {
        field: value
        for field, value in instance.items()
        if field not in _CHANGED or field in _TOLD_AS_SENT
    }
    return {**own, **effective}

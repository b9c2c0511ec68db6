"""Online feature stores: feature tables published for look-ups by key, on this laptop's disk."""

from __future__ import annotations

import dataclasses
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    TemporarilyUnavailable,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop import errors
from laketop.engine.connect import RemoteEngine
from laketop.runner.paths import Places
from laketop.workspace import publishing, watching
from laketop.workspace.kept import iso
from laketop.workspace.lake import Lake, parts
from laketop.workspace.online import About, OnlineTables
from laketop.workspace.publishing import MODES, Copy, Order
from laketop.workspace.service import Service, route

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CAPACITIES = ("CU_1", "CU_2", "CU_4", "CU_8")
_CONTINUOUS = "CONTINUOUS"
_LOOK_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0

log = logging.getLogger("laketop.workspace")


class FeatureStore(Service):
    """Online stores and what is published to them; a store is a name, the rows are in one file.

    Capacity and replicas are kept and change nothing here. Source: databricks-sdk,
    `ml.FeatureStoreAPI`, and the public documentation of online feature stores.
    """

    shared = True

    @property
    def file(self) -> Path:
        """The file in which scorers look features up; there from the start."""
        return self.workspace.state / "online.db"

    def start(self) -> None:
        """Open the file, and follow the tables that are published continuously."""
        self._tables = OnlineTables(self.file)
        self._lake = Lake(self.workspace.metastore / "catalog")
        self._places = Places.of_state(self.workspace.state)
        self._turn = threading.Lock()
        self._closing = threading.Event()
        self._session: SparkSession | None = None
        self._follower = threading.Thread(target=self._follow, name="online tables")
        self._follow_if_needed()

    def shutdown(self) -> None:
        """Stop following and copying, and close the file; a copy that runs changes nothing."""
        self._closing.set()
        session = self._session
        if session is not None:
            session.interruptAll()
        if self._follower.ident is not None:
            self._follower.join()
        with self._turn:
            self._tables.close()

    # Stores

    @route("POST /api/2.0/feature-store/online-stores")
    def create_online_store(
        self,
        name: str,
        capacity: str,
        read_replica_count: int | None = None,
        usage_policy_id: str | None = None,
    ) -> dict[str, Any]:
        """Make an online store, which is there at once."""
        if not name.strip():
            raise InvalidParameterValue("An online store needs a name.")
        stores = self.table("online_stores")
        if name in stores:
            raise ResourceAlreadyExists(f"Online store '{name}' already exists.")
        stores[name] = _checked(
            {
                "name": name,
                "capacity": capacity,
                "read_replica_count": read_replica_count or 0,
                "creator": self.workspace.user,
                "creation_time": iso(self.workspace.now_ms()),
                "state": "AVAILABLE",
                "usage_policy_id": usage_policy_id,
            }
        )
        return self.get_online_store(name)

    @route("GET /api/2.0/feature-store/online-stores")
    def list_online_stores(self) -> dict[str, Any]:
        """Return every online store, by name."""
        return {"online_stores": list(self.table("online_stores").values())}

    @route("GET /api/2.0/feature-store/online-stores/{name}")
    def get_online_store(self, name: str) -> dict[str, Any]:
        """Return an online store."""
        found: dict[str, Any] | None = self.table("online_stores").get(name)
        if found is None:
            raise NotFound(
                f"Online store '{name}' does not exist.", error_code="RESOURCE_DOES_NOT_EXIST"
            )
        return found

    @route("PATCH /api/2.0/feature-store/online-stores/{name}")
    def update_online_store(
        self,
        name: str,
        update_mask: str,
        capacity: str | None = None,
        read_replica_count: int | None = None,
        usage_policy_id: str | None = None,
    ) -> dict[str, Any]:
        """Change the capacity, the replicas or the policy of an online store."""
        sent = {
            "capacity": capacity,
            "read_replica_count": read_replica_count,
            "usage_policy_id": usage_policy_id,
        }
        self._require_owner(f"online store '{name}'", store=name)
        fields = [field.strip() for field in update_mask.split(",")]
        for field in fields:
            if field not in sent:
                raise InvalidParameterValue(f"The field {field!r} of an online store is fixed.")
        changed = self.get_online_store(name) | {field: sent[field] for field in fields}
        self.table("online_stores")[name] = _checked(changed)
        return changed

    @route("DELETE /api/2.0/feature-store/online-stores/{name}")
    def delete_online_store(self, name: str) -> None:
        """Delete an online store that holds no online table."""
        self._require_owner(f"online store '{name}'", store=name)
        held = [about.name for about in self._tables.all() if about.store == name]
        if held:
            raise BadRequest(
                f"Online store '{name}' holds {', '.join(held)}: delete these online tables first.",
                error_code="INVALID_STATE",
            )
        del self.table("online_stores")[name]

    # Tables

    @route("POST /api/2.0/feature-store/tables/{source_table_name}/publish")
    async def publish_table(
        self, source_table_name: str, publish_spec: dict[str, Any]
    ) -> dict[str, str]:
        """Copy what is new in a feature table to its online table; answers when it is there."""
        order = _order(source_table_name, publish_spec, self.workspace.user)
        await anyio.to_thread.run_sync(self._check, order)
        about = await anyio.to_thread.run_sync(self._published, order)
        return {"online_table_name": about.name}

    @route("DELETE /api/2.0/feature-store/online-tables/{online_table_name}")
    async def delete_online_table(self, online_table_name: str) -> None:
        """Delete an online table; its source stays."""
        name = online_table_name.lower()
        await anyio.to_thread.run_sync(self._drop, name)

    def _drop(self, name: str) -> None:
        with self._turn:
            about = self._tables.get(name)
            if about is None:
                raise NotFound(
                    f"Online table '{name}' does not exist.", error_code="RESOURCE_DOES_NOT_EXIST"
                )
            self._require_owner(f"online table '{name}'", about.publisher, store=about.store)
            self._tables.drop(name)

    def _require_owner(self, what: str, *owners: str, store: str) -> None:
        """Let only admins pass, whoever made the store, and `owners`.

        Errors: PermissionDenied; NotFound for a store that is not there.
        """
        with self.store.reading():
            creator = self.get_online_store(store)["creator"]
        user = self.workspace.user
        if not self.workspace.is_admin and user not in {creator, *owners}:
            raise PermissionDenied(f"User {user} does not own {what}.")

    def _check(self, order: Order) -> None:
        with self.store.transaction(write=False):
            self.get_online_store(order.store)
        catalog, schema, name = order.name.split(".")
        self._lake.schema(catalog, schema)
        if name in self._lake.tables(catalog, schema):
            raise ResourceAlreadyExists(f"'{order.name}' is a table already.")
        before = self._tables.get(order.name)
        if before is not None and (before.source, before.store) != (order.source, order.store):
            raise ResourceAlreadyExists(
                f"Online table '{order.name}' is of '{before.source}' in '{before.store}' already."
            )
        if before is not None:
            what = f"online table '{order.name}'"
            self._require_owner(what, before.publisher, store=order.store)

    def _published(self, order: Order) -> About:
        # One at a time: who publishes what another is publishing finds nothing left to do.
        with self._turn:
            if self._closing.is_set():
                raise TemporarilyUnavailable("The workspace is shutting down.")
            self._session = RemoteEngine(self._remote(order.user)).session()
            try:
                about = self._copied(self._session, order)
            except errors.NotFound as error:
                raise NotFound(f"{error}.") from error
            finally:
                session, self._session = self._session, None
                session.stop()
        self._follow_if_needed()
        return about

    def _copied(self, session: SparkSession, order: Order) -> About:
        from pyspark.errors import PySparkException

        before = self._tables.get(order.name)
        publisher = order.user if before is None else before.publisher
        try:
            copy = self._prepared(session, order, before)
            try:
                about = dataclasses.replace(copy.about, publisher=publisher)
                self._tables.write(about, copy.rows, whole=copy.whole)
            except PySparkException:
                if copy.whole:
                    raise
                log.warning("the changes of %s cannot be read: all of it is copied", order.source)
                copy = self._prepared(session, order, None)
                about = dataclasses.replace(copy.about, publisher=publisher)
                self._tables.write(about, copy.rows, whole=copy.whole)
        except PySparkException as error:
            message = str(error).partition("\n")[0]
            raise BadRequest(f"'{order.source}' could not be published: {message}") from error
        return about

    def _prepared(self, session: SparkSession, order: Order, before: About | None) -> Copy:
        return publishing.prepared(session, order, before, now_ms=self.workspace.now_ms())

    def _remote(self, user: str) -> str:
        remote = self.workspace.environment_as(user).get("SPARK_REMOTE")
        if not remote:
            raise TemporarilyUnavailable("This workspace was started without an engine.")
        return str(remote)

    # Continuously

    def _follow_if_needed(self) -> None:
        if self._follower.ident is None and any(
            about.mode == _CONTINUOUS for about in self._tables.all()
        ):
            self._follower.start()

    def _follow(self) -> None:
        pause_seconds = _LOOK_SECONDS
        while not self._closing.wait(pause_seconds):
            try:
                for about in self._behind():
                    # Who published it might read it; what follows is the workspace's own work.
                    owner = self.workspace.settings.user
                    order = Order(about.source, about.name, about.store, about.mode, owner)
                    self._published(order)
                pause_seconds = _LOOK_SECONDS
            except Exception:  # the thread's boundary: the engine may be starting again
                log.exception("an online table could not be brought up to date; trying again")
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _behind(self) -> list[About]:
        followed = [about for about in self._tables.all() if about.mode == _CONTINUOUS]
        newest = watching.versions(self._places, [about.source for about in followed])
        return [about for about in followed if newest[about.source] not in {-1, about.version}]


def _checked(store: dict[str, Any]) -> dict[str, Any]:
    if store["capacity"] not in CAPACITIES:
        raise InvalidParameterValue(
            f"The capacity {store['capacity']!r} is none of {', '.join(CAPACITIES)}."
        )
    if (store["read_replica_count"] or 0) < 0:
        raise InvalidParameterValue("'read_replica_count' is negative.")
    return store


def _order(source: str, spec: dict[str, Any], user: str) -> Order:
    texts = {name: spec.get(name) for name in ("online_store", "online_table_name", "publish_mode")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise InvalidParameterValue(f"'publish_spec' needs '{name}', a text.")
    if spec.get("full_feature_name"):
        raise NotServed("The field 'full_feature_name' of 'publish_spec' is not served here.")
    mode = str(texts["publish_mode"])
    if mode not in MODES:
        raise InvalidParameterValue(f"The publish mode {mode!r} is none of {', '.join(MODES)}.")
    return Order(
        source=".".join(parts(source, 3, "table")),
        name=".".join(parts(str(texts["online_table_name"]), 3, "table")),
        store=str(texts["online_store"]),
        mode=mode,
        user=user,
    )

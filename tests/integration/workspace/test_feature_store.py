"""Online stores through the official client; what is published needs Spark and stands with it."""

from __future__ import annotations

import dataclasses

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.errors import NotImplemented as NotServed
from databricks.sdk.service.ml import (
    OnlineStore,
    OnlineStoreState,
    PublishSpec,
    PublishSpecPublishMode,
)

from laketop.workspace.online import About, OnlineTables
from laketop.workspace.workspace import Workspace


@pytest.fixture(scope="module")
def store(client: WorkspaceClient) -> str:
    client.feature_store.create_online_store(OnlineStore(name="fast", capacity="CU_1"))
    return "fast"


def spec(store: str, name: str = "main.online.planes", **options: str) -> PublishSpec:
    mode = PublishSpecPublishMode.SNAPSHOT
    return PublishSpec(online_store=store, online_table_name=name, publish_mode=mode, **options)  # type: ignore[arg-type]


def test_a_store_is_there_at_once_and_changes_by_its_mask(
    client: WorkspaceClient, store: str
) -> None:
    found = client.feature_store.get_online_store(store)
    assert (found.name, found.capacity, found.state) == ("fast", "CU_1", OnlineStoreState.AVAILABLE)
    assert found.creator == "me@laketop.local"
    assert (found.creation_time or "").endswith("Z")
    assert store in [one.name for one in client.feature_store.list_online_stores()]
    changed = client.feature_store.update_online_store(
        store, OnlineStore(name=store, capacity="CU_4", read_replica_count=2), "capacity"
    )
    assert (changed.capacity, changed.read_replica_count) == ("CU_4", 0)
    with pytest.raises(InvalidParameterValue, match="'state' of an online store is fixed"):
        client.feature_store.update_online_store(
            store, OnlineStore(name=store, capacity="CU_4"), "state"
        )


def test_what_cannot_be_a_store_is_told(client: WorkspaceClient, store: str) -> None:
    create = client.feature_store.create_online_store
    with pytest.raises(ResourceAlreadyExists, match="'fast' already exists"):
        create(OnlineStore(name=store, capacity="CU_1"))
    with pytest.raises(InvalidParameterValue, match="'CU_16' is none of CU_1"):
        create(OnlineStore(name="big", capacity="CU_16"))
    with pytest.raises(InvalidParameterValue, match="negative"):
        create(OnlineStore(name="less", capacity="CU_1", read_replica_count=-1))
    with pytest.raises(InvalidParameterValue, match="needs a name"):
        create(OnlineStore(name=" ", capacity="CU_1"))
    with pytest.raises(NotFound, match="'gone' does not exist"):
        client.feature_store.delete_online_store("gone")
    with pytest.raises(NotFound, match=r"'main\.online\.gone' does not exist"):
        client.feature_store.delete_online_table("main.online.gone")


def test_an_empty_store_can_be_deleted(client: WorkspaceClient) -> None:
    client.feature_store.create_online_store(OnlineStore(name="empty", capacity="CU_2"))
    client.feature_store.delete_online_store("empty")
    with pytest.raises(NotFound):
        client.feature_store.get_online_store("empty")


def test_what_cannot_be_published_is_told_before_an_engine_is_asked(
    client: WorkspaceClient, workspace: Workspace, store: str
) -> None:
    publish = client.feature_store.publish_table
    with pytest.raises(InvalidParameterValue, match="'planes' is not the full name of a table"):
        publish("planes", spec(store))
    with pytest.raises(NotServed, match="full_feature_name"):
        publish("main.online.source", spec(store, full_feature_name="main.online.x"))
    with pytest.raises(NotFound, match=r"Schema 'main\.nowhere' does not exist"):
        publish("main.online.source", spec(store, name="main.nowhere.planes"))
    (workspace.state / "catalog" / "main" / "online").mkdir(parents=True)
    with pytest.raises(NotFound, match="Online store 'slow' does not exist"):
        publish("main.online.source", spec("slow"))


def test_what_another_published_stays(
    client: WorkspaceClient, ann: WorkspaceClient, workspace: Workspace, store: str
) -> None:
    name = "main.theirs.planes"
    (workspace.state / "catalog" / "main" / "theirs").mkdir(parents=True)
    tables = OnlineTables(workspace.feature_store.file)
    about = About(
        name=name,
        store=store,
        source="main.theirs.source",
        mode="SNAPSHOT",
        keys=(("tail", "string"),),
        source_id="1",
        version=1,
        synced_ms=0,
    )
    tables.write(about, [], whole=True)
    with pytest.raises(PermissionDenied, match=f"does not own online table '{name}'"):
        ann.feature_store.publish_table("main.theirs.source", spec(store, name=name))
    with pytest.raises(PermissionDenied, match=f"does not own online table '{name}'"):
        ann.feature_store.delete_online_table(name)
    with pytest.raises(PermissionDenied, match="does not own online store 'fast'"):
        ann.feature_store.delete_online_store(store)
    with pytest.raises(PermissionDenied, match="does not own online store 'fast'"):
        ann.feature_store.update_online_store(
            store, OnlineStore(name=store, capacity="CU_8"), "capacity"
        )
    me = ann.current_user.me().user_name or ""
    tables.write(dataclasses.replace(about, publisher=me), [], whole=True)
    ann.feature_store.delete_online_table(name)
    tables.write(about, [], whole=True)
    client.feature_store.delete_online_table(name)
    tables.close()

"""Instances of Postgres and what they have, through the official client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.errors import NotImplemented as NotServed
from databricks.sdk.service.database import (
    CustomTag,
    DatabaseCatalog,
    DatabaseInstance,
    DatabaseInstanceRef,
    DatabaseInstanceState,
    SyncedDatabaseTable,
    SyncedTableSpec,
)
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel

SPEC = SyncedTableSpec(source_table_full_name="main.default.t", primary_key_columns=["id"])


@pytest.fixture
def instance(client: WorkspaceClient) -> Iterator[str]:
    client.database.create_database_instance(DatabaseInstance(name="pg", capacity="CU_1"))
    yield "pg"
    client.database.delete_database_instance("pg")


def test_an_instance_is_kept_changed_and_forgotten_and_never_runs(client: WorkspaceClient) -> None:
    api = client.database
    asked = DatabaseInstance(name="one", capacity="CU_1", custom_tags=[CustomTag("a", "b")])
    api.create_database_instance(asked)
    made = api.get_database_instance("one")
    assert (made.state, made.capacity) == (DatabaseInstanceState.STOPPED, "CU_1")
    assert (made.effective_node_count, made.effective_retention_window_in_days) == (1, 7)
    assert made.effective_custom_tags == made.custom_tags == [CustomTag("a", "b")]
    assert api.find_database_instance_by_uid(uid=made.uid) == made
    assert [one.name for one in api.list_database_instances(page_size=1)] == ["one"]
    with pytest.raises(ResourceAlreadyExists):
        api.create_database_instance(asked)
    change = DatabaseInstance(name="one", capacity="CU_2", node_count=2)
    new = api.update_database_instance("one", change, "node_count,custom_tags")
    assert (new.capacity, new.effective_node_count, new.custom_tags) == ("CU_1", 2, [])
    with pytest.raises(InvalidParameterValue, match="uid"):
        api.update_database_instance("one", change, "uid")
    with pytest.raises(NotServed):
        api.generate_database_credential(instance_names=["one"])
    api.delete_database_instance("one")
    with pytest.raises(NotFound, match="does not exist"):
        api.get_database_instance("one")
    with pytest.raises(NotFound, match="uid"):
        api.find_database_instance_by_uid(uid=made.uid)


def test_an_instance_of_the_past_of_another_is_refused(client: WorkspaceClient) -> None:
    child = DatabaseInstance(name="two", parent_instance_ref=DatabaseInstanceRef(name="pg"))
    with pytest.raises(BadRequest, match="parent_instance_ref"):
        client.database.create_database_instance(child)


def test_catalogs_and_synced_tables_are_of_an_instance(
    client: WorkspaceClient, instance: str
) -> None:
    api = client.database
    asked = DatabaseCatalog(name="pgc", database_instance_name=instance, database_name="d")
    catalog = api.create_database_catalog(asked)
    assert api.get_database_catalog("pgc") == catalog
    in_it = api.create_synced_database_table(SyncedDatabaseTable(name="pgc.s.t", spec=SPEC))
    assert in_it.effective_database_instance_name == instance
    assert in_it.effective_logical_database_name == "d"
    assert api.get_synced_database_table("pgc.s.t") == in_it
    with pytest.raises(InvalidParameterValue, match="'e' is not its catalog's, 'd'"):
        api.create_synced_database_table(
            SyncedDatabaseTable(name="pgc.s.u", spec=SPEC, logical_database_name="e")
        )
    with pytest.raises(InvalidParameterValue, match="database_instance_name"):
        api.create_synced_database_table(SyncedDatabaseTable(name="main.s.t", spec=SPEC))
    with pytest.raises(InvalidParameterValue, match="source_table_full_name"):
        api.create_synced_database_table(SyncedDatabaseTable(name="pgc.s.u"))
    with pytest.raises(BadRequest, match="has 'pgc'"):
        api.delete_database_instance(instance)
    with pytest.raises(BadRequest, match=r"'pgc' has 'pgc\.s\.t'"):
        api.delete_database_catalog("pgc")
    api.delete_synced_database_table("pgc.s.t")
    api.delete_database_catalog("pgc")
    for gone in (
        lambda: api.get_database_catalog("pgc"),
        lambda: api.get_synced_database_table("pgc.s.t"),
    ):
        with pytest.raises(NotFound):
            gone()


def test_only_who_made_an_instance_and_whom_it_lets_change_it(
    client: WorkspaceClient, ann: WorkspaceClient, instance: str
) -> None:
    change = DatabaseInstance(name=instance, capacity="CU_2")
    with pytest.raises(PermissionDenied, match="does not have CAN_MANAGE permission"):
        ann.database.update_database_instance(instance, change, "capacity")
    catalog = DatabaseCatalog(name="x", database_instance_name=instance, database_name="d")
    with pytest.raises(PermissionDenied):
        ann.database.create_database_catalog(catalog)
    with pytest.raises(PermissionDenied):
        ann.database.delete_database_instance(instance)
    entry = AccessControlRequest(
        user_name=ann.current_user.me().user_name, permission_level=PermissionLevel.CAN_MANAGE
    )
    client.permissions.update("database-instances", instance, access_control_list=[entry])
    assert ann.database.update_database_instance(instance, change, "capacity").capacity == "CU_2"

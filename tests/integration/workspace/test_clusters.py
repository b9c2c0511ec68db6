"""Clusters, pools, policies, profiles and libraries as objects, through the official client."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.compute import (
    DockerImage,
    EventType,
    State,
    UpdateClusterResource,
)
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel

VERSION = "17.3.x-scala2.13"


@pytest.fixture
def cluster(client: WorkspaceClient) -> str:
    made = client.clusters.create(
        spark_version=VERSION,
        cluster_name="c",
        num_workers=1,
        node_type_id="m5.large",
        custom_tags={"a": "b"},
    )
    return made.result().cluster_id or ""


def test_a_cluster_runs_and_reads_back_as_it_was_sent(
    client: WorkspaceClient, cluster: str
) -> None:
    told = client.clusters.get(cluster)
    assert told.state is State.RUNNING
    assert (told.spark_version, told.num_workers, told.custom_tags) == (VERSION, 1, {"a": "b"})
    assert told.creator_user_name == "me@laketop.local"
    assert client.clusters.get(cluster) == told
    assert cluster in {one.cluster_id for one in client.clusters.list(page_size=1)}
    client.clusters.ensure_cluster_is_running(cluster)


def test_a_cluster_ends_starts_and_is_forgotten(client: WorkspaceClient, cluster: str) -> None:
    assert client.clusters.delete(cluster).result().state is State.TERMINATED
    with pytest.raises(InvalidParameterValue, match="not running"):
        client.clusters.restart(cluster)
    assert client.clusters.start(cluster).result().state is State.RUNNING
    with pytest.raises(InvalidParameterValue, match="unexpected state"):
        client.clusters.start(cluster)
    assert client.clusters.restart(cluster).result().state is State.RUNNING
    types = [event.type for event in client.clusters.events(cluster, limit=2)]
    assert types[:2] == [EventType.RUNNING, EventType.RESTARTING]
    assert EventType.CREATING in types
    client.clusters.permanent_delete(cluster)
    with pytest.raises(ResourceDoesNotExist, match="does not exist"):
        client.clusters.get(cluster)
    with pytest.raises(InvalidParameterValue):
        client.clusters.permanent_delete(cluster)


def test_edit_replaces_update_changes_and_resize_resizes(
    client: WorkspaceClient, cluster: str
) -> None:
    client.clusters.update(
        cluster, "num_workers,custom_tags", cluster=UpdateClusterResource(num_workers=3)
    )
    told = client.clusters.get(cluster)
    assert (told.num_workers, told.custom_tags, told.cluster_name) == (3, None, "c")
    client.clusters.resize(cluster, num_workers=4)
    assert client.clusters.get(cluster).num_workers == 4
    client.clusters.edit(cluster, VERSION, cluster_name="d")
    told = client.clusters.get(cluster)
    assert (told.cluster_name, told.num_workers, told.state) == ("d", None, State.RUNNING)
    with pytest.raises(InvalidParameterValue, match="cannot be updated"):
        client.clusters.update(cluster, "state")


def test_pins_owners_and_what_there_is(client: WorkspaceClient, cluster: str) -> None:
    client.clusters.pin(cluster)
    client.clusters.unpin(cluster)
    with pytest.raises(InvalidParameterValue, match="must be terminated"):
        client.clusters.change_owner(cluster, "me@laketop.local")
    client.clusters.delete(cluster).result()
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        client.clusters.change_owner(cluster, "nobody")
    client.clusters.change_owner(cluster, "me@laketop.local")
    assert client.clusters.select_spark_version(latest=True, scala="2.13")
    assert client.clusters.select_spark_version(long_term_support=True) == "16.4.x-scala2.12"
    assert client.clusters.select_spark_version(ml=True) == "16.4.x-cpu-ml-scala2.12"
    assert client.clusters.select_node_type() == "local"
    assert client.clusters.select_node_type(local_disk=True, min_cores=1) == "local"
    assert client.clusters.list_zones().zones == ["local"]


def test_a_container_is_refused(client: WorkspaceClient) -> None:
    with pytest.raises(NotServed, match="containers"):
        client.clusters.create(spark_version=VERSION, docker_image=DockerImage(url="x"))


def test_a_cluster_is_seen_and_used_by_who_may(
    client: WorkspaceClient, ann: WorkspaceClient, cluster: str
) -> None:
    assert cluster not in {one.cluster_id for one in ann.clusters.list()}
    calls: list[Callable[[], object]] = [
        lambda: ann.clusters.get(cluster),
        lambda: ann.clusters.delete(cluster),
        lambda: ann.clusters.permanent_delete(cluster),
        lambda: ann.clusters.edit(cluster, VERSION),
        lambda: ann.clusters.pin(cluster),
        lambda: ann.command_execution.create(cluster_id=cluster),
        lambda: ann.libraries.install(cluster, []),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            call()
    entry = AccessControlRequest(
        user_name=ann.current_user.me().user_name,
        permission_level=PermissionLevel.CAN_RESTART,
    )
    client.permissions.update("clusters", cluster, access_control_list=[entry])
    ann.clusters.restart(cluster)
    with pytest.raises(PermissionDenied):
        ann.clusters.edit(cluster, VERSION)


def test_a_cluster_obeys_its_policy(client: WorkspaceClient) -> None:
    rules = {"num_workers": {"type": "range", "maxValue": 2}}
    policy = client.cluster_policies.create(
        name=secrets.token_hex(4), definition=json.dumps(rules)
    ).policy_id
    with pytest.raises(InvalidParameterValue, match="num_workers: the value must be at most 2"):
        client.clusters.create(spark_version=VERSION, policy_id=policy, num_workers=3)
    waiter = client.clusters.create(spark_version=VERSION, policy_id=policy, num_workers=2)
    made = waiter.result().cluster_id
    assert client.policy_compliance_for_clusters.get_compliance(made or "").is_compliant
    with pytest.raises(ResourceDoesNotExist):
        client.clusters.create(spark_version=VERSION, policy_id="none", num_workers=2)

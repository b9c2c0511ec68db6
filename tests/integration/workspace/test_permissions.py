"""Permissions of jobs, experiments and folders, through the official client."""

from __future__ import annotations

import io

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.iam import AccessControlRequest, ObjectPermissions, PermissionLevel
from databricks.sdk.service.workspace import ImportFormat

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

ME, ANN = "me@laketop.local", "ann@laketop.local"


@pytest.fixture
def job(client: WorkspaceClient) -> str:
    return str(client.jobs.create(name="j").job_id)


def levels(told: ObjectPermissions) -> dict[str | None, PermissionLevel | None]:
    return {
        one.user_name or one.group_name: (one.all_permissions or [])[0].permission_level
        for one in told.access_control_list or []
    }


def entry(user: str, level: PermissionLevel) -> AccessControlRequest:
    return AccessControlRequest(user_name=user, permission_level=level)


def test_the_creator_owns_a_job_until_somebody_says_otherwise(
    client: WorkspaceClient, job: str
) -> None:
    told = client.permissions.get("jobs", job)
    assert (told.object_id, told.object_type) == (f"/jobs/{job}", "job")
    assert levels(told) == {ME: PermissionLevel.IS_OWNER}


def test_set_replaces_and_update_adds(client: WorkspaceClient, job: str) -> None:
    mine = entry(ME, PermissionLevel.IS_OWNER)
    group = AccessControlRequest(group_name="users", permission_level=PermissionLevel.CAN_VIEW)
    client.permissions.set("jobs", job, access_control_list=[mine, group])
    ann = [entry(ANN, PermissionLevel.CAN_MANAGE_RUN)]
    client.permissions.update("jobs", job, access_control_list=ann)
    assert levels(client.permissions.get("jobs", job)) == {
        ME: PermissionLevel.IS_OWNER,
        ANN: PermissionLevel.CAN_MANAGE_RUN,
        "users": PermissionLevel.CAN_VIEW,
    }
    client.permissions.set("jobs", job, access_control_list=[mine])
    assert levels(client.permissions.get("jobs", job)) == {ME: PermissionLevel.IS_OWNER}


def test_a_job_has_one_owner(client: WorkspaceClient, job: str) -> None:
    owner = [entry(ANN, PermissionLevel.IS_OWNER)]
    client.permissions.update("jobs", job, access_control_list=owner)
    assert levels(client.permissions.get("jobs", job)) == {ANN: PermissionLevel.IS_OWNER}
    with pytest.raises(InvalidParameterValue, match="exactly one owner"):
        client.permissions.set("jobs", job, access_control_list=[])


def test_experiments_and_folders_have_permissions_too(client: WorkspaceClient) -> None:
    experiment = client.experiments.create_experiment("/Shared/permitted").experiment_id or ""
    folder = str(client.workspace.get_status("/Shared").object_id)
    for kind, object_id in (("experiments", experiment), ("directories", folder)):
        given = [entry(ANN, PermissionLevel.CAN_READ)]
        client.permissions.update(kind, object_id, access_control_list=given)
        assert levels(client.permissions.get(kind, object_id))[ANN] is PermissionLevel.CAN_READ
        told = client.permissions.get_permission_levels(kind, object_id).permission_levels or []
        assert PermissionLevel.CAN_MANAGE in {one.permission_level for one in told}


def test_what_cannot_be_is_said(client: WorkspaceClient, job: str) -> None:
    given = [entry(ANN, PermissionLevel.CAN_QUERY)]
    with pytest.raises(InvalidParameterValue, match="CAN_QUERY"):
        client.permissions.update("jobs", job, access_control_list=given)
    for kind, object_id in (("jobs", "999"), ("experiments", "999"), ("directories", "999")):
        with pytest.raises(ResourceDoesNotExist, match="999 does not exist"):
            client.permissions.get(kind, object_id)
    with pytest.raises(ResourceDoesNotExist):
        client.permissions.get("serving-endpoints", "999")
    with pytest.raises(ResourceDoesNotExist, match="egistered model '1' does not exist"):
        client.permissions.get("registered-models", "1")
    with pytest.raises(NotServed, match=r"'dbsql-dashboards': dashboards are those of w.lakeview"):
        client.permissions.get("dbsql-dashboards", "1")


def test_what_a_folder_gives_is_told_of_all_below_it(client: WorkspaceClient) -> None:
    client.workspace.mkdirs("/Users/me@laketop.local/above/below")
    client.workspace.upload(
        "/Users/me@laketop.local/above/below/f.txt", io.BytesIO(b"x"), format=ImportFormat.RAW
    )
    top = str(client.workspace.get_status("/Users/me@laketop.local/above").object_id)
    client.permissions.update(
        "directories", top, access_control_list=[entry(ANN, PermissionLevel.CAN_RUN)]
    )
    file = client.workspace.get_status("/Users/me@laketop.local/above/below/f.txt").object_id
    name = "/Users/me@laketop.local/above/e"
    experiment = client.experiments.create_experiment(name).experiment_id or ""
    for kind, object_id, level in (
        ("files", str(file), PermissionLevel.CAN_RUN),
        ("experiments", experiment, PermissionLevel.CAN_READ),  # which knows no CAN_RUN
    ):
        told = client.permissions.get(kind, object_id).access_control_list or []
        [held] = [one.all_permissions or [] for one in told if one.user_name == ANN]
        assert [(p.permission_level, p.inherited, p.inherited_from_object) for p in held] == [
            (level, True, [f"/directories/{top}"])
        ]
        [own] = [one.all_permissions or [] for one in told if one.user_name == ME]
        assert {p.inherited for p in own} == {False, True}  # as its maker, and by the home folder


def test_whoever_makes_an_experiment_manages_it(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    who = ann.current_user.me().user_name or ""
    client.workspace.mkdirs("/Users/me@laketop.local/lent")
    folder = str(client.workspace.get_status("/Users/me@laketop.local/lent").object_id)
    client.permissions.update(
        "directories", folder, access_control_list=[entry(who, PermissionLevel.CAN_EDIT)]
    )
    made = ann.experiments.create_experiment("/Users/me@laketop.local/lent/e").experiment_id or ""
    mine = client.experiments.create_experiment("/Users/me@laketop.local/lent/f").experiment_id
    assert levels(client.permissions.get("experiments", made))[who] is PermissionLevel.CAN_MANAGE
    ann.permissions.update(
        "experiments", made, access_control_list=[entry(ANN, PermissionLevel.CAN_READ)]
    )
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        ann.permissions.update(
            "experiments", mine or "", access_control_list=[entry(ANN, PermissionLevel.CAN_READ)]
        )

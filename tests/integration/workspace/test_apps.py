"""Databricks Apps, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    OperationFailed,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.apps import (
    App,
    AppAccessControlRequest,
    AppDeployment,
    AppPermissionLevel,
    AppResource,
    AppResourceJob,
    AppResourceJobJobPermission,
    ComputeState,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

JOB = AppResourceJob(id="1", permission=AppResourceJobJobPermission.CAN_VIEW)


def test_an_app_is_kept_changed_listed_and_forgotten(client: WorkspaceClient) -> None:
    api = client.apps
    app = App(name="shop", description="d", resources=[AppResource(name="j", job=JOB)])
    made: App = api.create(app, no_compute=True).response
    assert (made.name, made.description, made.resources) == ("shop", "d", app.resources)
    assert made.compute_status is not None
    assert made.compute_status.state is ComputeState.STOPPED
    assert made.url is None
    assert api.get("shop") == made
    with pytest.raises(ResourceAlreadyExists, match="App 'shop' already exists"):
        api.create(app)
    api.create(App(name="other"))
    assert [one.name for one in api.list(page_size=1)] == ["other", "shop"]
    assert list(api.list(space="s")) == []
    changed = api.update("shop", App(name="shop", description="e"))
    assert (changed.description, changed.resources) == ("e", app.resources)
    assert api.delete("shop").name == "shop"
    api.delete("other")
    with pytest.raises(ResourceDoesNotExist, match="App 'shop' does not exist"):
        api.get("shop")
    for name in ("Shop", "a_b", "a" * 31, "-a"):
        with pytest.raises(InvalidParameterValue, match="app name"):
            api.create(App(name=name))


def test_an_app_is_neither_deployed_nor_started(client: WorkspaceClient) -> None:
    waiting = client.apps.create(App(name="still"))
    with pytest.raises(OperationFailed, match="laketop runs no apps"):
        waiting.result()
    assert list(client.apps.list_deployments("still")) == []
    with pytest.raises(ResourceDoesNotExist, match="The deployment 'd'"):
        client.apps.get_deployment("still", "d")
    for call in (client.apps.start, client.apps.stop):
        with pytest.raises(NotImplemented, match="/apps/still/"):
            call("still")
    with pytest.raises(NotImplemented, match="deployments"):
        client.apps.deploy("still", AppDeployment(source_code_path="/Shared/app"))
    client.apps.delete("still")


def test_who_may_do_what_with_an_app(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    client.apps.create(App(name="mine"))
    with pytest.raises(PermissionDenied, match="CAN_USE"):
        ann.apps.get("mine")
    assert list(ann.apps.list()) == []
    levels = client.apps.get_permission_levels("mine").permission_levels or []
    assert [one.permission_level for one in levels] == [
        AppPermissionLevel.CAN_USE,
        AppPermissionLevel.CAN_MANAGE,
    ]
    entry = AppAccessControlRequest(
        user_name=ann.current_user.me().user_name, permission_level=AppPermissionLevel.CAN_USE
    )
    client.apps.update_permissions("mine", access_control_list=[entry])
    assert len(client.apps.get_permissions("mine").access_control_list or []) == 2
    assert ann.apps.get("mine").name == "mine"
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        ann.apps.delete("mine")
    client.apps.set_permissions("mine", access_control_list=[])
    client.apps.delete("mine")

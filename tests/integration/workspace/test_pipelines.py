"""Pipelines, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceConflict,
    ResourceDoesNotExist,
)
from databricks.sdk.service.pipelines import (
    NotebookLibrary,
    PipelineAccessControlRequest,
    PipelineLibrary,
    PipelinePermissionLevel,
    PipelineState,
    RunAs,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

LIBRARIES = [PipelineLibrary(notebook=NotebookLibrary(path="/Shared/nb"))]


def test_a_pipeline_is_kept_edited_and_forgotten(client: WorkspaceClient) -> None:
    api = client.pipelines
    dry = api.create(name="dry", libraries=LIBRARIES, dry_run=True)
    assert dry.pipeline_id is None
    assert dry.effective_settings is not None
    assert dry.effective_settings.libraries == LIBRARIES
    id_ = api.create(name="etl", libraries=LIBRARIES, catalog="main", schema="s").pipeline_id or ""
    made = api.get(id_)
    assert (made.name, made.state, made.creator_user_name) == (
        "etl",
        PipelineState.IDLE,
        "me@laketop.local",
    )
    assert made.spec is not None
    assert (made.spec.id, made.spec.libraries, made.spec.schema) == (id_, LIBRARIES, "s")
    with pytest.raises(ResourceConflict, match="'etl' is already used"):
        api.create(name="etl")
    twin = api.create(name="etl", allow_duplicate_names=True).pipeline_id or ""
    api.update(id_, name="load", catalog="main", expected_last_modified=made.last_modified)
    edited = api.get(id_)
    assert edited.spec is not None
    assert (edited.name, edited.spec.schema) == ("load", None)
    with pytest.raises(ResourceConflict, match="changed since"):
        api.update(id_, name="late", expected_last_modified=1)
    said = [event.message or "" for event in api.list_pipeline_events(id_, max_results=1)]
    assert ["created" in said[0], "edited" in said[1]] == [True, True]
    for one in (id_, twin):
        api.delete(one)
    with pytest.raises(ResourceDoesNotExist, match="Pipeline"):
        api.get(id_)


def test_pipelines_are_listed_by_pages_and_by_name(client: WorkspaceClient) -> None:
    api = client.pipelines
    ids = [api.create(name=name).pipeline_id or "" for name in ("b_1", "a_1", "c_2")]
    told = api.list_pipelines(filter="name LIKE '%_1'", order_by=["name desc"], max_results=1)
    assert [one.name for one in told] == ["b_1", "a_1"]
    assert {one.pipeline_id for one in api.list_pipelines(max_results=2)} == set(ids)
    for wrong in ({"filter": "color = 'red'"}, {"order_by": ["color"]}, {"max_results": 101}):
        with pytest.raises(InvalidParameterValue):
            list(api.list_pipelines(**wrong))
    for one in ids:
        api.delete(one)


def test_a_pipeline_stays_idle(client: WorkspaceClient) -> None:
    api = client.pipelines
    id_ = api.create(name="idle").pipeline_id or ""
    assert not api.list_updates(id_).updates
    with pytest.raises(ResourceDoesNotExist, match="The update 'u'"):
        api.get_update(id_, "u")
    assert api.stop(id_).result().state is PipelineState.IDLE
    with pytest.raises(NotImplemented, match="updates"):
        api.start_update(id_)
    api.delete(id_)


def test_who_may_do_what_with_a_pipeline(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    api, me = client.pipelines, ann.current_user.me().user_name
    id_ = api.create(name="mine").pipeline_id or ""
    with pytest.raises(PermissionDenied, match="CAN_VIEW"):
        ann.pipelines.get(id_)
    assert list(ann.pipelines.list_pipelines()) == []
    levels = api.get_permission_levels(id_).permission_levels or []
    assert PipelinePermissionLevel.IS_OWNER in {one.permission_level for one in levels}
    level = PipelinePermissionLevel.CAN_VIEW
    entry = PipelineAccessControlRequest(user_name=me, permission_level=level)
    api.update_permissions(id_, access_control_list=[entry])
    held = {one.user_name for one in api.get_permissions(id_).access_control_list or []}
    assert held == {"me@laketop.local", me}
    assert ann.pipelines.get(id_).pipeline_id == id_
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        ann.pipelines.update(id_, name="hers")
    with pytest.raises(InvalidParameterValue, match="exactly one owner"):
        api.set_permissions(id_, access_control_list=[entry])
    with pytest.raises(PermissionDenied, match="not an admin"):
        ann.pipelines.create(name="as me", run_as=RunAs(user_name="me@laketop.local"))
    with pytest.raises(InvalidParameterValue, match="run_as"):
        api.create(name="as nobody", run_as=RunAs(user_name="nobody"))
    api.delete(id_)

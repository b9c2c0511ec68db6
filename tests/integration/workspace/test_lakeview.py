"""AI/BI dashboards, through the official client."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceConflict,
    ResourceDoesNotExist,
)
from databricks.sdk.service.dashboards import (
    CronSchedule,
    Dashboard,
    LifecycleState,
    Schedule,
    SchedulePauseStatus,
    Subscriber,
    Subscription,
    SubscriptionSubscriberDestination,
    SubscriptionSubscriberUser,
)
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.settings import Config, EmailConfig

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

CRON = CronSchedule(quartz_cron_expression="0 0 6 * * ?", timezone_id="UTC")


@pytest.fixture
def dashboard(client: WorkspaceClient) -> str:
    name = f"d{secrets.token_hex(4)}"
    made = client.lakeview.create(Dashboard(display_name=name, serialized_dashboard='{"pages":[]}'))
    return made.dashboard_id or ""


def test_a_draft_is_kept_changed_by_its_etag_and_thrown_away(client: WorkspaceClient) -> None:
    api = client.lakeview
    made = api.create(Dashboard(display_name="sales", serialized_dashboard='{"pages":[]}'))
    assert made.path == "/Users/me@laketop.local/sales.lvdash.json"
    assert made.lifecycle_state is LifecycleState.ACTIVE
    id_ = made.dashboard_id or ""
    assert api.get(id_) == made
    with pytest.raises(ResourceAlreadyExists, match=r"sales\.lvdash\.json"):
        api.create(Dashboard(display_name="sales"))
    other = api.create(Dashboard(display_name="other")).dashboard_id or ""
    listed = [one for one in api.list(page_size=1) if one.dashboard_id in {id_, other}]
    assert {one.display_name for one in listed} == {"sales", "other"}
    assert not any(one.serialized_dashboard for one in listed)
    changed = api.update(id_, Dashboard(display_name="shop", etag=made.etag))
    assert (changed.display_name, changed.serialized_dashboard) == ("shop", '{"pages":[]}')
    assert changed.etag != made.etag
    with pytest.raises(ResourceConflict, match="etag"):
        api.update(id_, Dashboard(display_name="late", etag=made.etag))
    for one in (id_, other):
        api.trash(one)
    assert {id_, other}.isdisjoint(one.dashboard_id for one in api.list())
    assert {id_, other} <= {one.dashboard_id for one in api.list(show_trashed=True)}
    assert api.get(id_).lifecycle_state is LifecycleState.TRASHED
    with pytest.raises(ResourceDoesNotExist, match="in the trash"):
        api.trash(id_)


def test_what_cannot_be_a_dashboard_is_refused(client: WorkspaceClient) -> None:
    for contents in ("{", "[]"):
        with pytest.raises(BadRequest, match="serialized_dashboard is not"):
            client.lakeview.create(Dashboard(display_name="x", serialized_dashboard=contents))
    with pytest.raises(InvalidParameterValue, match="display_name"):
        client.lakeview.create(Dashboard())
    with pytest.raises(InvalidParameterValue, match="no name of a dashboard"):
        client.lakeview.create(Dashboard(display_name="a/b"))
    with pytest.raises(ResourceDoesNotExist, match="warehouse none"):
        client.lakeview.create(Dashboard(display_name="x", warehouse_id="none"))
    with pytest.raises(ResourceDoesNotExist, match="Dashboard 'none' does not exist"):
        client.lakeview.get("none")
    with pytest.raises(NotImplemented, match="migrate"):
        client.lakeview.migrate("x")


def test_what_is_published_stays_until_it_is_published_again(
    client: WorkspaceClient, dashboard: str
) -> None:
    api = client.lakeview
    with pytest.raises(ResourceDoesNotExist, match="is not published"):
        api.get_published(dashboard)
    warehouse = next(iter(client.warehouses.list())).id or ""
    published = api.publish(dashboard, embed_credentials=False, warehouse_id=warehouse)
    assert (published.embed_credentials, published.warehouse_id) == (False, warehouse)
    assert published.revision_create_time
    assert api.get_published(dashboard) == published
    draft = json.dumps({"pages": [{}]})
    now = api.update(dashboard, Dashboard(serialized_dashboard=draft))
    assert api.get_published(dashboard) == published
    with pytest.raises(ResourceConflict):
        api.revert(dashboard, etag="0")
    reverted = api.revert(dashboard, etag=now.etag).dashboard
    assert reverted is not None
    assert reverted.serialized_dashboard == '{"pages":[]}'
    api.unpublish(dashboard)
    with pytest.raises(ResourceDoesNotExist, match="is not published"):
        api.unpublish(dashboard)


def test_schedules_and_subscriptions_are_kept_changed_and_forgotten(
    client: WorkspaceClient, dashboard: str
) -> None:
    api = client.lakeview
    made = api.create_schedule(dashboard, Schedule(cron_schedule=CRON, display_name="daily"))
    assert made.pause_status is SchedulePauseStatus.UNPAUSED
    schedule = made.schedule_id or ""
    assert api.get_schedule(dashboard, schedule) == made
    api.create_schedule(dashboard, Schedule(cron_schedule=CRON))
    assert len(list(api.list_schedules(dashboard, page_size=1))) == 2
    paused = Schedule(cron_schedule=CRON, pause_status=SchedulePauseStatus.PAUSED, etag=made.etag)
    changed = api.update_schedule(dashboard, schedule, paused)
    assert (changed.pause_status, changed.create_time) == (paused.pause_status, made.create_time)
    with pytest.raises(ResourceConflict):
        api.update_schedule(dashboard, schedule, paused)
    me = int(client.current_user.me().id or 0)
    mine = Subscriber(user_subscriber=SubscriptionSubscriberUser(me))
    first = api.create_subscription(dashboard, schedule, Subscription(subscriber=mine))
    assert (first.subscriber, first.created_by_user_id) == (mine, me)
    with pytest.raises(ResourceAlreadyExists):
        api.create_subscription(dashboard, schedule, Subscription(subscriber=mine))
    place = client.notification_destinations.create(
        display_name=dashboard, config=Config(email=EmailConfig(addresses=["a@example.org"]))
    )
    theirs = Subscriber(destination_subscriber=SubscriptionSubscriberDestination(place.id or ""))
    second = api.create_subscription(dashboard, schedule, Subscription(subscriber=theirs))
    ids = {one.subscription_id for one in api.list_subscriptions(dashboard, schedule, page_size=1)}
    assert ids == {first.subscription_id, second.subscription_id}
    got = api.get_subscription(dashboard, schedule, second.subscription_id or "")
    assert got == second
    with pytest.raises(ResourceConflict):
        api.delete_subscription(dashboard, schedule, second.subscription_id or "", etag="9")
    api.delete_subscription(dashboard, schedule, second.subscription_id or "")
    with pytest.raises(ResourceDoesNotExist, match="Subscription"):
        api.get_subscription(dashboard, schedule, second.subscription_id or "")
    api.delete_schedule(dashboard, schedule, etag=changed.etag)
    with pytest.raises(ResourceDoesNotExist, match="Schedule"):
        api.get_schedule(dashboard, schedule)
    client.notification_destinations.delete(place.id or "")


def test_what_cannot_be_a_schedule_or_a_subscriber_is_refused(
    client: WorkspaceClient, dashboard: str
) -> None:
    api = client.lakeview
    for cron, said in (
        (CronSchedule(quartz_cron_expression="daily", timezone_id="UTC"), "1 fields"),
        (CronSchedule(quartz_cron_expression="0 0 6 * * ?", timezone_id="Mars"), "Mars"),
    ):
        with pytest.raises(InvalidParameterValue, match=said):
            api.create_schedule(dashboard, Schedule(cron_schedule=cron))
    made = api.create_schedule(dashboard, Schedule(cron_schedule=CRON)).schedule_id or ""
    with pytest.raises(InvalidParameterValue, match="a user or a destination"):
        api.create_subscription(dashboard, made, Subscription(subscriber=Subscriber()))
    nobody = Subscriber(user_subscriber=SubscriptionSubscriberUser(987654321))
    with pytest.raises(NotFound):
        api.create_subscription(dashboard, made, Subscription(subscriber=nobody))


def test_a_dashboard_of_another_is_hidden_until_it_is_shown(
    client: WorkspaceClient, ann: WorkspaceClient, dashboard: str
) -> None:
    with pytest.raises(PermissionDenied, match="CAN_READ"):
        ann.lakeview.get(dashboard)
    assert list(ann.lakeview.list()) == []
    entry = AccessControlRequest(
        user_name=ann.current_user.me().user_name, permission_level=PermissionLevel.CAN_READ
    )
    client.permissions.update("dashboards", dashboard, access_control_list=[entry])
    assert ann.lakeview.get(dashboard).dashboard_id == dashboard
    assert [one.dashboard_id for one in ann.lakeview.list()] == [dashboard]
    with pytest.raises(PermissionDenied, match="CAN_EDIT"):
        ann.lakeview.publish(dashboard)
    with pytest.raises(PermissionDenied, match="CAN_EDIT"):
        ann.lakeview.create(Dashboard(display_name="x", parent_path="/Users/me@laketop.local"))

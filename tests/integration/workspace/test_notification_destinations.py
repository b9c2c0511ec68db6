"""Notification destinations, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.settings import (
    Config,
    DestinationType,
    EmailConfig,
    GenericWebhookConfig,
    SlackConfig,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

EMAIL = Config(email=EmailConfig(addresses=["a@example.org"]))


def test_a_destination_is_kept_changed_listed_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.notification_destinations
    made = api.create(display_name="mail", config=EMAIL)
    assert (made.destination_type, made.config) == (DestinationType.EMAIL, EMAIL)
    assert api.get(made.id or "") == made
    with pytest.raises(ResourceAlreadyExists, match="'mail' already exists"):
        api.create(display_name="mail", config=EMAIL)
    other = api.create(display_name="other", config=EMAIL)
    assert {one.display_name for one in ann.notification_destinations.list(page_size=1)} == {
        "mail",
        "other",
    }
    with pytest.raises(ResourceAlreadyExists):
        api.update(other.id or "", display_name="mail")
    more = Config(email=EmailConfig(addresses=["b@example.org"]))
    assert api.update(made.id or "", display_name="post", config=more).config == more
    with pytest.raises(InvalidParameterValue, match="type of a destination"):
        api.update(made.id or "", config=Config(slack=SlackConfig(url="https://example.org")))
    for one in (made, other):
        api.delete(one.id or "")
    with pytest.raises(ResourceDoesNotExist, match="does not exist"):
        api.delete(made.id or "")


def test_of_secrets_only_that_they_are_set_is_kept(client: WorkspaceClient) -> None:
    hook = GenericWebhookConfig(url="https://example.org", username="u", password="hidden-word")
    made = client.notification_destinations.create(
        display_name="hook", config=Config(generic_webhook=hook)
    )
    told = client.notification_destinations.get(made.id or "")
    assert "hidden-word" not in str(told)
    assert told.config is not None
    assert told.config.generic_webhook == GenericWebhookConfig(
        url_set=True, username_set=True, password_set=True
    )
    client.notification_destinations.delete(made.id or "")


def test_a_destination_is_of_one_type_and_made_by_an_admin(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    with pytest.raises(InvalidParameterValue, match="one of email"):
        client.notification_destinations.create(display_name="x", config=Config())
    with pytest.raises(PermissionDenied):
        ann.notification_destinations.create(display_name="x", config=EMAIL)

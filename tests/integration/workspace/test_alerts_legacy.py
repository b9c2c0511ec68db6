"""Alerts by the oldest API, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    ResourceDoesNotExist,
)
from databricks.sdk.service.sql import (
    AlertOperator,
    AlertOptions,
    AlertOptionsEmptyResultState,
    CreateQueryRequestQuery,
    LegacyAlertState,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

MANY = AlertOptions(
    column="n", op=">", value=3.0, empty_result_state=AlertOptionsEmptyResultState.OK
)


@pytest.fixture
def query(client: WorkspaceClient) -> str:
    return client.queries.create(query=CreateQueryRequestQuery(query_text="SELECT 1")).id or ""


def test_an_alert_is_the_same_by_both_apis(
    client: WorkspaceClient, ann: WorkspaceClient, query: str
) -> None:
    api = client.alerts_legacy
    made = api.create("many", MANY, query, rearm=60)
    assert (made.name, made.options, made.rearm) == ("many", MANY, 60)
    assert made.state is LegacyAlertState.UNKNOWN
    assert made.query is not None
    assert made.query.id == query
    id_ = made.id or ""
    assert api.get(id_) == made
    assert [one.id for one in api.list()] == [id_]
    assert list(ann.alerts_legacy.list()) == []
    told = client.alerts.get(id_)
    assert told.condition is not None
    assert (told.display_name, told.condition.op) == ("many", AlertOperator.GREATER_THAN)
    api.update(id_, "few", AlertOptions(column="n", op="==", value="x"), query)
    changed = api.get(id_).options
    assert changed is not None
    assert (changed.op, changed.value) == ("==", "x")
    api.delete(id_)
    with pytest.raises(ResourceDoesNotExist):
        api.get(id_)


def test_what_cannot_be_an_alert_is_refused(client: WorkspaceClient, query: str) -> None:
    def refused(kind: type[Exception], said: str, options: AlertOptions, on: str = query) -> None:
        with pytest.raises(kind, match=said):
            client.alerts_legacy.create("x", options, on)

    refused(InvalidParameterValue, "none of >", AlertOptions(column="n", op="~", value=1))
    refused(InvalidParameterValue, "a number", AlertOptions(column="n", op=">", value=[1]))
    muted = AlertOptions(column="n", op=">", value=1, muted=True)
    refused(NotImplemented, "not muted", muted)
    refused(ResourceDoesNotExist, "query none", MANY, "none")

"""The history of statements, through the official client."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.sql import (
    QueryFilter,
    QueryInfo,
    QueryStatementType,
    QueryStatus,
    TimeRange,
)
from tests.integration.workspace.conftest import USER

from laketop.errors import LaketopError
from laketop.workspace.statements import Order, Statement
from laketop.workspace.workspace import Workspace


def _nowhere() -> NoReturn:
    raise LaketopError("there is no engine")


class Ran:
    """Statements of a warehouse of their own, which began at 1, 2, 3 ... seconds from now."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.warehouse = secrets.token_hex(4)
        self.begun_ms = workspace.now_ms()
        self._workspace, self._folder = workspace, folder
        self._now_ms = self.begun_ms

    def __call__(self, text: str, user: str = USER, *, is_open: bool = False) -> str:
        name = secrets.token_hex(8)
        order = Order(text=text, user=user, warehouse_id=self.warehouse, agent="tests/1")
        note = self._workspace.query_history.log.note
        self._now_ms += 1_000
        statement = Statement(name, order, self._folder, lambda: self._now_ms, note=note)
        note(statement)
        if not is_open:
            self._now_ms += 10
            statement.start(_nowhere)
            statement.ended.wait()
        return name


@pytest.fixture
def ran(workspace: Workspace, tmp_path: Path) -> Ran:
    return Ran(workspace, tmp_path)


def _listed(client: WorkspaceClient, ran: Ran, **more: object) -> Sequence[QueryInfo]:
    asked = QueryFilter.from_dict({"warehouse_ids": [ran.warehouse], **more})
    return client.query_history.list(filter_by=asked, include_metrics=True).res or []


def _ids(found: Sequence[QueryInfo]) -> list[str | None]:
    return [one.query_id for one in found]


def test_a_statement_is_shown_with_what_was_measured(client: WorkspaceClient, ran: Ran) -> None:
    name = ran("DELETE FROM t")
    (told,) = _listed(client, ran)
    assert (told.query_id, told.query_text) == (name, "DELETE FROM t")
    assert told.statement_type is QueryStatementType.DELETE
    assert (told.status, told.is_final, told.duration) == (QueryStatus.FAILED, True, 10)
    assert told.error_message == "there is no engine"
    assert told.user_id == int(client.current_user.me().id or 0)
    assert (told.user_name, told.client_application) == (USER, "tests/1")
    assert told.metrics is not None
    assert told.metrics.total_time_ms == 10
    assert told.metrics.read_bytes is None


def test_metrics_come_for_who_asks_for_them(client: WorkspaceClient, ran: Ran) -> None:
    ran("SELECT 1")
    asked = QueryFilter(warehouse_ids=[ran.warehouse])
    (told,) = client.query_history.list(filter_by=asked).res or []
    assert told.metrics is None


def test_statements_come_by_pages_the_latest_first(client: WorkspaceClient, ran: Ran) -> None:
    names = [ran(f"SELECT {number}") for number in range(5)]
    asked = QueryFilter(warehouse_ids=[ran.warehouse])
    found: list[str | None] = []
    token = None
    while True:
        page = client.query_history.list(filter_by=asked, max_results=2, page_token=token)
        found += _ids(page.res or [])
        token = page.next_page_token
        assert page.has_next_page is (token is not None)
        if token is None:
            break
    assert found == names[::-1]


def test_the_filter_chooses(client: WorkspaceClient, ran: Ran) -> None:
    first, second, third = ran("SELECT 1"), ran("SELECT 2", is_open=True), ran("SELECT 3")
    assert _ids(_listed(client, ran, statuses=["RUNNING"])) == [second]
    assert _ids(_listed(client, ran, statuses=["RUNNING", "FAILED"])) == [third, second, first]
    assert _ids(_listed(client, ran, statement_ids=[first, third])) == [third, first]
    me = int(client.current_user.me().id or 0)
    assert len(_listed(client, ran, user_ids=[me])) == 3
    assert _listed(client, ran, user_ids=[1]) == []
    span = TimeRange(start_time_ms=ran.begun_ms + 1_500, end_time_ms=ran.begun_ms + 2_500)
    assert _ids(_listed(client, ran, query_start_time_range=span.as_dict())) == [second]


def test_one_sees_ones_own_and_admins_all(
    client: WorkspaceClient, ann: WorkspaceClient, ran: Ran
) -> None:
    me = ann.current_user.me()
    mine, hers = ran("SELECT 1"), ran("SELECT 2", me.user_name or "")
    assert _ids(_listed(client, ran)) == [hers, mine]
    assert _ids(_listed(client, ran, user_ids=[int(me.id or 0)])) == [hers]
    assert _ids(_listed(ann, ran)) == [hers]
    admin = int(client.current_user.me().id or 0)
    assert _listed(ann, ran, user_ids=[admin]) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"max_results": 0}, "max_results 0"),
        ({"max_results": 1001}, "max_results 1001"),
        ({"page_token": "x"}, "page_token 'x'"),
        ({"filter_by.statuses": "GONE"}, "'GONE'"),
        ({"filter_by.query_start_time_range.start_time_ms": "noon"}, "'noon'"),
    ],
)
def test_what_cannot_be_asked_is_named(
    client: WorkspaceClient, query: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        client.api_client.do("GET", "/api/2.0/sql/history/queries", query=query)

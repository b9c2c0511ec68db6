"""IP access lists, through the official client, asked from several addresses of the laptop."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.settings import ListType
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from tests.integration.workspace.conftest import Served

SWITCH = "enableIpAccessLists"


class From(HTTPAdapter):
    """Sends requests from one of the laptop's own addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **more: Any) -> None:
        super().init_poolmanager(*sizes, source_address=(self._address, 0), **more)


def status(served: Served, address: str, path: str = "/api/2.0/clusters/list") -> int:
    with requests.Session() as session:
        session.mount("http://", From(address))
        session.headers["authorization"] = f"Bearer {served.token}"
        return session.get(f"{served.host}{path}").status_code


@pytest.fixture(autouse=True)
def no_lists(client: WorkspaceClient) -> Iterator[None]:
    """Leave no list behind, and the switch off."""
    yield
    client.workspace_conf.set_status({SWITCH: "false"})
    kept = sorted(client.ip_access_lists.list(), key=lambda one: one.list_type != ListType.BLOCK)
    for one in kept:
        client.ip_access_lists.update(one.list_id or "", enabled=False)
        client.ip_access_lists.delete(one.list_id or "")


def test_a_list_is_kept_read_changed_replaced_and_forgotten(client: WorkspaceClient) -> None:
    api = client.ip_access_lists
    made = api.create("home", ListType.ALLOW, ip_addresses=["127.0.0.0/8"]).ip_access_list
    assert made is not None
    assert (made.label, made.address_count, made.enabled) == ("home", 1, True)
    assert made.created_by == int(client.current_user.me().id or 0)
    id_ = made.list_id or ""
    assert api.get(id_).ip_access_list == made
    assert list(api.list()) == [made]
    api.update(id_, label="laptop", ip_addresses=["127.0.0.1", "127.0.0.2"])
    changed = api.get(id_).ip_access_list
    assert changed is not None
    assert (changed.label, changed.address_count) == ("laptop", 2)
    api.replace(id_, "bad", ListType.BLOCK, enabled=False)
    replaced = api.get(id_).ip_access_list
    assert replaced is not None
    assert (replaced.label, replaced.list_type, replaced.enabled) == ("bad", ListType.BLOCK, False)
    assert not replaced.ip_addresses
    api.delete(id_)
    with pytest.raises(ResourceDoesNotExist):
        api.get(id_)
    with pytest.raises(ResourceDoesNotExist):
        api.delete(id_)


def test_a_blocked_address_is_turned_away_once_the_switch_is_on(
    client: WorkspaceClient, served: Served
) -> None:
    client.ip_access_lists.create("bad", ListType.BLOCK, ip_addresses=["127.0.0.9"])
    assert status(served, "127.0.0.9") == HTTPStatus.OK
    client.workspace_conf.set_status({SWITCH: "true"})
    assert client.workspace_conf.get_status(SWITCH) == {SWITCH: "true"}
    assert status(served, "127.0.0.9") == HTTPStatus.FORBIDDEN
    assert status(served, "127.0.0.9", "/jobs") == HTTPStatus.FORBIDDEN
    assert status(served, "127.0.0.8") == HTTPStatus.OK
    client.workspace_conf.set_status({SWITCH: "false"})
    assert status(served, "127.0.0.9") == HTTPStatus.OK


def test_with_an_allow_list_only_those_in_it_are_answered_and_block_lists_go_first(
    client: WorkspaceClient, served: Served
) -> None:
    client.workspace_conf.set_status({SWITCH: "true"})
    client.ip_access_lists.create("few", ListType.ALLOW, ip_addresses=["127.0.0.0/29"])
    assert status(served, "127.0.0.8") == HTTPStatus.FORBIDDEN
    assert status(served, "127.0.0.7") == HTTPStatus.OK
    client.ip_access_lists.create("bad", ListType.BLOCK, ip_addresses=["127.0.0.7"])
    assert status(served, "127.0.0.7") == HTTPStatus.FORBIDDEN


def test_nobody_locks_out_themselves_or_the_workspace(client: WorkspaceClient) -> None:
    api = client.ip_access_lists
    for type_, addresses in ((ListType.BLOCK, ["127.0.0.0/8"]), (ListType.ALLOW, ["10.0.0.0/8"])):
        with pytest.raises(BadRequest, match=r"would block 127\.0\.0\.1") as caught:
            api.create("x", type_, ip_addresses=addresses)
        assert caught.value.error_code == "INVALID_STATE"
    assert list(api.list()) == []
    made = api.create("x", ListType.BLOCK, ip_addresses=["10.0.0.0/8"]).ip_access_list
    assert made is not None
    with pytest.raises(BadRequest, match="would block"):
        api.update(made.list_id or "", list_type=ListType.ALLOW)
    assert api.get(made.list_id or "").ip_access_list == made


def test_what_is_no_address_too_many_of_them_and_users_who_are_no_admins_are_refused(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.ip_access_lists
    for address in ("nowhere", "127.0.0.1/33", "::1", ""):
        with pytest.raises(InvalidParameterValue, match="neither an IPv4 address nor a range"):
            api.create("x", ListType.BLOCK, ip_addresses=[address])
    with pytest.raises(InvalidParameterValue, match="label"):
        api.create("", ListType.BLOCK)
    many = [f"10.0.{n // 250}.{n % 250}" for n in range(1001)]
    with pytest.raises(BadRequest, match="1000 is the most") as caught:
        api.create("x", ListType.BLOCK, ip_addresses=many)
    assert caught.value.error_code == "QUOTA_EXCEEDED"
    with pytest.raises(PermissionDenied):
        list(ann.ip_access_lists.list())
    with pytest.raises(PermissionDenied):
        ann.ip_access_lists.create("x", ListType.BLOCK)

"""Global init scripts, through the official client."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceDoesNotExist,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

SCRIPT = base64.b64encode(b"echo 1").decode()


def test_scripts_are_kept_in_their_order(client: WorkspaceClient) -> None:
    api = client.global_init_scripts
    first = api.create("first", SCRIPT).script_id or ""
    last = api.create("last", SCRIPT).script_id or ""
    middle = api.create("middle", SCRIPT, position=1).script_id or ""
    told = list(api.list())
    assert [one.name for one in told] == ["first", "middle", "last"]
    assert [one.position for one in told] == [0, 1, 2]
    assert api.get(middle).script == SCRIPT
    api.update(last, "now first", SCRIPT, position=0)
    assert [one.name for one in api.list()] == ["now first", "first", "middle"]
    api.delete(first)
    assert [(one.name, one.position) for one in api.list()] == [("now first", 0), ("middle", 1)]
    for one in (middle, last):
        api.delete(one)
    with pytest.raises(ResourceDoesNotExist, match=r"script .* does not exist"):
        api.get(first)


def test_a_script_is_not_enabled_since_it_would_not_run(client: WorkspaceClient) -> None:
    with pytest.raises(NotImplemented, match="runs no global init scripts"):
        client.global_init_scripts.create("x", SCRIPT, enabled=True)
    assert list(client.global_init_scripts.list()) == []


def test_bad_scripts_and_users_who_are_no_admins_are_refused(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    large = base64.b64encode(b"#" * 65_537).decode()
    for script, said in (("{", "not base64"), ("", "0 bytes"), (large, "65537 bytes")):
        with pytest.raises(InvalidParameterValue, match=said):
            client.global_init_scripts.create("x", script)
    with pytest.raises(InvalidParameterValue, match="below 0"):
        client.global_init_scripts.create("x", SCRIPT, position=-1)
    with pytest.raises(PermissionDenied):
        ann.global_init_scripts.create("x", SCRIPT)

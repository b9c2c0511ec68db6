"""Sessions of SQL over REST: what is answered without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, ResourceDoesNotExist

SESSIONS = "/api/2.0/sql/sessions"


@pytest.fixture(scope="module")
def warehouse(client: WorkspaceClient) -> str:
    return next(iter(client.warehouses.list())).id or ""


@pytest.fixture
def session(client: WorkspaceClient, warehouse: str) -> Iterator[str]:
    told: Any = client.api_client.do("POST", SESSIONS, body={"warehouse_id": warehouse})
    yield told["session_id"]
    _delete(client, told["session_id"])


def _delete(client: WorkspaceClient, name: str) -> None:
    client.api_client.do("DELETE", f"{SESSIONS}/{name}", body={"session_id": name})


def _run(client: WorkspaceClient, warehouse: str, **fields: Any) -> None:
    body = {"statement": "SELECT 1", "warehouse_id": warehouse, **fields}
    client.api_client.do("POST", "/api/2.0/sql/statements", body=body)


def test_a_session_is_its_users_and_ends_once(
    client: WorkspaceClient, warehouse: str, ann: WorkspaceClient, session: str
) -> None:
    for act in (_delete, lambda of, name: _run(of, warehouse, session_id=name)):
        with pytest.raises(NotFound, match=f"session {session}"):
            act(ann, session)
    told: Any = client.api_client.do("POST", SESSIONS, body={"warehouse_id": warehouse})
    _delete(client, told["session_id"])
    with pytest.raises(NotFound, match=f"session {told['session_id']}"):
        _delete(client, told["session_id"])


def test_a_session_of_no_warehouse_or_of_a_strange_setting_is_refused(
    client: WorkspaceClient, warehouse: str
) -> None:
    with pytest.raises(ResourceDoesNotExist, match="SQL warehouse none"):
        client.api_client.do("POST", SESSIONS, body={"warehouse_id": "none"})
    body = {"warehouse_id": warehouse, "session_confs": {"weather": "fine"}}
    with pytest.raises(InvalidParameterValue, match="'weather' is none of"):
        client.api_client.do("POST", SESSIONS, body=body)


def test_a_statement_takes_catalog_and_schema_of_its_session(
    client: WorkspaceClient, warehouse: str, session: str
) -> None:
    with pytest.raises(InvalidParameterValue, match="takes catalog and schema of it"):
        _run(client, warehouse, session_id=session, catalog="main")
    with pytest.raises(InvalidParameterValue, match="'ZIP' is none of NONE, LZ4_FRAME"):
        _run(client, warehouse, session_id=session, result_compression="ZIP")


def test_a_statement_that_is_closed_is_not_found_any_more(client: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match="statement none"):
        client.api_client.do("DELETE", "/api/2.0/sql/statements/none", body={})

"""One step of lineage, over REST: shapes, and what whom is shown."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied
from databricks.sdk.service.catalog import PermissionsChange, Privilege

from laketop.workspace.clock import wall_ms
from laketop.workspace.workspace import Workspace

ROUTES = "/api/2.0/lineage-tracking"
NOW_MS = wall_ms()


@pytest.fixture
def catalog(client: WorkspaceClient, workspace: Workspace) -> str:
    """Return a catalog in which `b` was made of `a`, of `hidden.x` and of files by job 7."""
    name = f"l{secrets.token_hex(4)}"
    other = f"h{secrets.token_hex(4)}"
    for one in (name, other):
        client.catalogs.create(one)
    sources = [
        {"type": "TABLE", "name": f"{name}.default.a"},
        {"type": "TABLE", "name": f"{other}.default.x"},
        {"type": "PATH", "path": "file:/elsewhere"},
    ]
    event = {
        "time": NOW_MS,
        "user": "me",
        "operation": "o",
        "caller": "JOB:7:8:9",
        "sources": sources,
        "target": {"type": "TABLE", "name": f"{name}.default.b"},
        "columns": [[0, "id", "k"], [1, "id", "k"]],
    }
    journal = workspace.state / "catalog" / "_lineage" / "1.jsonl"
    journal.parent.mkdir(exist_ok=True)
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")
    return name


def _of(client: WorkspaceClient, kind: str, **query: object) -> dict[str, Any]:
    told: Any = client.api_client.do("GET", f"{ROUTES}/{kind}-lineage", query=query)
    return dict(told)


def test_a_table_knows_what_it_was_made_of_and_what_was_made_of_it(
    client: WorkspaceClient, catalog: str
) -> None:
    told = _of(client, "table", table_name=f"{catalog}.default.b", include_entity_lineage=True)
    tables = [one["tableInfo"] for one in told["upstreams"] if "tableInfo" in one]
    assert [(one["catalog_name"], one["name"]) for one in tables][1] == (catalog, "a")
    at = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)
    assert tables[1]["lineage_timestamp"] == f"{at:%Y-%m-%d %H:%M:%S}.0"
    assert [one["fileInfo"]["path"] for one in told["upstreams"] if "fileInfo" in one] == [
        "file:/elsewhere"
    ]
    assert {info["job_id"] for one in told["upstreams"] for info in one["jobInfos"]} == {7}
    assert told["downstreams"] == []
    (after,) = _of(client, "table", table_name=f"{catalog}.default.a")["downstreams"]
    assert after["tableInfo"]["name"] == "b"
    assert "jobInfos" not in after


def test_a_column_knows_the_columns_it_was_made_of(client: WorkspaceClient, catalog: str) -> None:
    told = _of(client, "column", table_name=f"{catalog}.default.b", column_name="K")
    assert {(one["table_name"], one["name"]) for one in told["upstream_cols"]} == {
        ("a", "id"),
        ("x", "id"),
    }
    assert told["downstream_cols"] == []


def test_only_tables_that_the_caller_may_know_of_are_shown(
    client: WorkspaceClient, ann: WorkspaceClient, catalog: str
) -> None:
    table = f"{catalog}.default.b"
    with pytest.raises(PermissionDenied, match="BROWSE"):
        _of(ann, "table", table_name=table)
    name = ann.current_user.me().user_name
    change = PermissionsChange(principal=name, add=[Privilege.BROWSE])
    client.grants.update("catalog", catalog, changes=[change])
    told = _of(ann, "table", table_name=table)
    assert [one.get("tableInfo", {}).get("name") for one in told["upstreams"]] == ["a"]
    columns = _of(ann, "column", table_name=table, column_name="k")["upstream_cols"]
    assert [one["table_name"] for one in columns] == ["a"]


def test_a_table_without_lineage_has_none(client: WorkspaceClient, catalog: str) -> None:
    told = _of(client, "table", table_name=f"{catalog}.default.lonely")
    assert told == {"upstreams": [], "downstreams": []}


def test_a_name_that_is_none_of_a_table_is_named(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="'x' is not the full name of a table"):
        _of(client, "table", table_name="x")

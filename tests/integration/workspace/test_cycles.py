"""Objects as Terraform keeps them: made, read without drift, changed, deleted, each of it twice."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import AlreadyExists, BadRequest, NotFound, ResourceConflict

Body = Mapping[str, Any]
UC = "/api/2.1/unity-catalog"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """How objects of a kind are made, read, changed and deleted; `NAME` stands for a new name."""

    create: str
    body: Body
    key: str
    """The field that names an object in `one`, `update` and `delete`."""
    one: str
    update: tuple[str, str]
    change: Body
    delete: tuple[str, str] = ("DELETE", "")
    wrong: Body | None = None
    """Fields of which one has a value that there is not."""
    is_unique: bool = True
    fields: str = ""
    """The field of an answer that holds what was sent, if not the answer itself."""
    is_named: str = "path"
    """Where the key goes: into the path, the query or the body."""


def _kind(path: str, key: str, body: Body, change: Body, **more: Any) -> Kind:
    one = more.pop("one", f"{path}/{{key}}")
    update = more.pop("update", ("PATCH", one))
    delete = more.pop("delete", ("DELETE", one))
    return Kind(
        create=path,
        key=key,
        body=body,
        change=change,
        one=one,
        update=update,
        delete=delete,
        **more,
    )


def _job_kind() -> Kind:
    tasks = [{"task_key": "t", "notebook_task": {"notebook_path": "/Shared/nb"}}]
    return _kind(
        "/api/2.2/jobs/create",
        "job_id",
        {"name": "NAME", "max_concurrent_runs": 2, "tasks": tasks, "tags": {"a": "b"}},
        {"new_settings": {"max_concurrent_runs": 3}},
        one="/api/2.2/jobs/get?job_id={key}",
        update=("POST", "/api/2.2/jobs/update"),
        delete=("POST", "/api/2.2/jobs/delete"),
        is_unique=False,
        fields="settings",
        is_named="body",
        wrong={"format": "ROUND"},
    )


SCIM = "/api/2.0/preview/scim/v2"
KINDS: dict[str, Kind] = {
    "catalog": _kind(
        f"{UC}/catalogs", "name", {"name": "NAME", "comment": "c"}, {"comment": "d"},
    ),
    "schema": _kind(
        f"{UC}/schemas", "full_name",
        {"name": "NAME", "catalog_name": "main", "comment": "c"}, {"comment": "d"},
    ),
    "volume": _kind(
        f"{UC}/volumes", "full_name",
        {"name": "NAME", "catalog_name": "main", "schema_name": "default",
         "volume_type": "MANAGED", "comment": "c"},
        {"comment": "d"}, wrong={"volume_type": "LOUD"},
    ),
    "storage credential": _kind(
        f"{UC}/storage-credentials", "name",
        {"name": "NAME", "comment": "c", "aws_iam_role": {"role_arn": "arn:aws:iam::1:role/r"}},
        {"comment": "d"},
    ),
    "connection": _kind(
        f"{UC}/connections", "name",
        {"name": "NAME", "connection_type": "POSTGRESQL", "comment": "c",
         "options": {"host": "h", "port": "5432", "user": "u", "password": "p"}},
        {"options": {"host": "i", "port": "5432", "user": "u", "password": "p"}},
        wrong={"connection_type": "PIGEON"},
    ),
    "job": _job_kind(),
    "cluster policy": _kind(
        "/api/2.0/policies/clusters/create", "policy_id",
        {"name": "NAME", "definition": "{}", "description": "c"},
        {"name": "NAME", "definition": "{}", "description": "d"},
        one="/api/2.0/policies/clusters/get?policy_id={key}",
        update=("POST", "/api/2.0/policies/clusters/edit"),
        delete=("POST", "/api/2.0/policies/clusters/delete"), is_named="body",
    ),
    "instance pool": _kind(
        "/api/2.0/instance-pools/create", "instance_pool_id",
        {"instance_pool_name": "NAME", "node_type_id": "local", "max_capacity": 3},
        {"instance_pool_name": "NAME", "node_type_id": "local", "max_capacity": 4},
        one="/api/2.0/instance-pools/get?instance_pool_id={key}",
        update=("POST", "/api/2.0/instance-pools/edit"),
        delete=("POST", "/api/2.0/instance-pools/delete"), is_named="body",
    ),
    "warehouse": _kind(
        "/api/2.0/sql/warehouses", "id", {"name": "NAME", "cluster_size": "Small"},
        {"cluster_size": "Large"}, update=("POST", "/api/2.0/sql/warehouses/{key}/edit"),
        wrong={"warehouse_type": "SHED"},
    ),
    "query": _kind(
        "/api/2.0/sql/queries", "id",
        {"query": {"display_name": "NAME", "query_text": "SELECT 1", "description": "c"}},
        {"update_mask": "description", "query": {"description": "d"}}, is_unique=False,
        delete=("DELETE", "/api/2.0/sql/queries/{key}"),
    ),
    "group": _kind(
        f"{SCIM}/Groups", "id", {"displayName": "NAME"},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
         "Operations": [{"op": "replace", "path": "displayName", "value": "NAME2"}]},
    ),
    "user": _kind(
        f"{SCIM}/Users", "id", {"userName": "NAME@example.org", "displayName": "NAME"},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
         "Operations": [{"op": "replace", "path": "displayName", "value": "NAME2"}]},
    ),
    "service principal": _kind(
        f"{SCIM}/ServicePrincipals", "id", {"displayName": "NAME", "active": True},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
         "Operations": [{"op": "replace", "path": "displayName", "value": "NAME2"}]},
        is_unique=False,
    ),
    "global init script": _kind(
        "/api/2.0/global-init-scripts", "script_id",
        {"name": "NAME", "script": "ZWNobw==", "enabled": False},
        {"name": "NAME", "script": "ZWNobyAx"}, is_unique=False,
    ),
    "IP access list": _kind(
        "/api/2.0/ip-access-lists", "list_id",
        {"label": "NAME", "list_type": "ALLOW", "ip_addresses": ["127.0.0.1"]},
        {"ip_addresses": ["127.0.0.1", "10.0.0.0/8"]}, is_unique=False,
        fields="ip_access_list", wrong={"list_type": "MAYBE"},
    ),
    "notification destination": _kind(
        "/api/2.0/notification-destinations", "id",
        {"display_name": "NAME", "config": {"email": {"addresses": ["a@example.org"]}}},
        {"display_name": "NAME2"}, is_unique=False,
    ),
    "pipeline": _kind(
        "/api/2.0/pipelines", "pipeline_id",
        {"name": "NAME", "development": True,
         "libraries": [{"notebook": {"path": "/Shared/nb"}}]},
        {"name": "NAME2", "libraries": [{"notebook": {"path": "/Shared/nb"}}]},
        update=("PUT", "/api/2.0/pipelines/{key}"), fields="spec",
    ),
    "app": _kind(
        "/api/2.0/apps", "name", {"name": "NAME", "description": "c"}, {"description": "d"},
    ),
    "tag policy": _kind(
        "/api/2.1/tag-policies", "tag_key", {"tag_key": "NAME", "description": "c"},
        {"description": "d"},
        update=("PATCH", "/api/2.1/tag-policies/{key}?update_mask=description"),
    ),
}  # fmt: skip
"""Objects by what they are called."""


def _named(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _named(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, name) for inner in value]
    return value.replace("NAME", name) if isinstance(value, str) else value


class Cycle:
    """One object of a kind, at one workspace."""

    def __init__(self, client: WorkspaceClient, kind: Kind) -> None:
        self._client, self.kind = client, kind
        self._name = f"n{secrets.token_hex(4)}"
        self.sent: dict[str, Any] = _named(kind.body, self._name)
        self._key: Any = None

    def create(self, more: Body | None = None) -> None:
        told = self._do("POST", self.kind.create, {**self.sent, **(more or {})})
        answer = told.get(self.kind.fields) or told
        self._key = answer.get(self.kind.key) or told[self.kind.key]

    def read(self) -> dict[str, Any]:
        told = self._do("GET", self.kind.one.format(key=self._key), None)
        return dict(told[self.kind.fields] if self.kind.fields else told)

    def update(self) -> dict[str, Any]:
        change = _named(self.kind.change, self._name)
        self._act(self.kind.update, change)
        for inner in ("new_settings", "query"):
            change = change.get(inner, change)
        if "Operations" in change:
            return {one["path"]: one["value"] for one in change["Operations"]}
        return dict(change)

    def delete(self) -> None:
        self._act(self.kind.delete, {})

    def _act(self, call: tuple[str, str], body: Body) -> None:
        named = {self.kind.key: self._key} if self.kind.is_named == "body" else {}
        self._do(call[0], call[1].format(key=self._key), {**named, **body})

    def _do(self, method: str, path: str, body: Body | None) -> dict[str, Any]:
        path, _, query = path.partition("?")
        asked = dict([query.split("=")]) if query else None
        sent = dict(body) if body is not None and method != "DELETE" else None
        told = self._client.api_client.do(method, path, query=asked, body=sent)
        return told if isinstance(told, dict) else {}


UNSHOWN = {"options"}
"""Fields that are not told as they were sent: passwords are in options."""


def _drift(sent: Body, read: Body) -> dict[str, Any]:
    """Return what was sent and is read otherwise."""
    return {
        name: (value, read.get(name))
        for name, value in sent.items()
        if name not in UNSHOWN and not _holds(read.get(name), value)
    }


def _holds(read: Any, sent: Any) -> bool:
    if isinstance(sent, Mapping):
        return isinstance(read, Mapping) and all(_holds(read.get(k), v) for k, v in sent.items())
    if isinstance(sent, list):
        return isinstance(read, list) and all(map(_holds, read, sent)) and len(read) == len(sent)
    return bool(read == sent)


@pytest.mark.parametrize("name", KINDS)
def test_an_object_is_read_as_it_was_written_and_gone_once(
    client: WorkspaceClient, name: str
) -> None:
    cycle = Cycle(client, KINDS[name])
    if cycle.kind.wrong is not None:
        with pytest.raises(BadRequest):
            cycle.create(cycle.kind.wrong)
    cycle.create()
    first = cycle.read()
    assert _drift(cycle.sent.get("query", cycle.sent), first) == {}
    assert cycle.read() == first
    if cycle.kind.is_unique:
        with pytest.raises((AlreadyExists, ResourceConflict, BadRequest)):
            cycle.create()
    changed = cycle.update()
    second = cycle.read()
    assert _drift(changed, second) == {}
    assert cycle.read() == second
    cycle.delete()
    with pytest.raises(DatabricksError) as read_gone:
        cycle.read()
    with pytest.raises(DatabricksError) as deleted_twice:
        cycle.delete()
    assert isinstance(read_gone.value, NotFound)
    # Databricks tells of a job that is gone by the text alone.
    assert isinstance(deleted_twice.value, NotFound) or "does not exist" in str(deleted_twice.value)

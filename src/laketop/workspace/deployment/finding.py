"""Finds the ids of things in a workspace by their names, for variables with a `lookup`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from laketop.bundle import Find
from laketop.errors import NotFound, Refused
from laketop.workspace.daemon import Contact
from laketop.workspace.deployment.api import Api, ApiError, LocalApi


@dataclasses.dataclass(frozen=True)
class _Collection:
    path: str
    items: str
    name: str
    id: str


_COLLECTIONS: Mapping[str, _Collection] = {
    "alert": _Collection("2.0/sql/alerts", "results", "display_name", "id"),
    "cluster": _Collection("2.1/clusters/list", "clusters", "cluster_name", "cluster_id"),
    "cluster_policy": _Collection("2.0/policies/clusters/list", "policies", "name", "policy_id"),
    "dashboard": _Collection(
        "2.0/lakeview/dashboards", "dashboards", "display_name", "dashboard_id"
    ),
    "instance_pool": _Collection(
        "2.0/instance-pools/list", "instance_pools", "instance_pool_name", "instance_pool_id"
    ),
    "job": _Collection("2.2/jobs/list", "jobs", "settings.name", "job_id"),
    "metastore": _Collection("2.1/unity-catalog/metastores", "metastores", "name", "metastore_id"),
    "notification_destination": _Collection(
        "2.0/notification-destinations", "results", "display_name", "id"
    ),
    "pipeline": _Collection("2.0/pipelines", "statuses", "name", "pipeline_id"),
    "query": _Collection("2.0/sql/queries", "results", "display_name", "id"),
    "service_principal": _Collection(
        "2.0/preview/scim/v2/ServicePrincipals", "Resources", "displayName", "applicationId"
    ),
    "warehouse": _Collection("2.0/sql/warehouses", "warehouses", "name", "id"),
}
"""Where things are listed.

Source: Databricks docs, bundle variables; paths and fields: the SDK's list calls.
"""


def finder(api: Api) -> Find:
    """Return what finds ids in a workspace.

    It raises NotFound where there is no such thing, and Refused where the workspace has no list
    of that kind.
    """

    def find(kind: str, name: str) -> str | None:
        collection = _COLLECTIONS.get(kind)
        if collection is None:
            raise Refused(f"looking up a {kind}", hint="give its id with --var")
        try:
            for item in _items(api, collection):
                if _at(item, collection.name) == name:
                    return str(item[collection.id])
        except ApiError as error:
            if error.is_not_served:
                hint = "give its id with --var"
                raise Refused(f"looking up the {kind} {name!r} here", hint=hint) from error
            raise
        raise NotFound(kind.replace("_", " "), name)

    return find


def local_finder(contact: Contact) -> Find:
    """Return what finds ids in the local workspace."""
    return finder(LocalApi(contact))


def _items(api: Api, collection: _Collection) -> Iterator[dict[str, Any]]:
    token: str | None = None
    while True:
        query = {"page_token": token} if token else None
        told = api.do("GET", f"/api/{collection.path}", query=query)
        yield from told.get(collection.items) or ()
        token = told.get("next_page_token")
        if not token:
            return


def _at(item: Mapping[str, Any], path: str) -> Any:
    value: Any = item
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value

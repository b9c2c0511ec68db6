"""Each type of resource of a bundle and what deploys it: one file a type."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

from laketop.bundle import Resource
from laketop.workspace.deployment.kind import Body, Kind
from laketop.workspace.deployment.resources import grants, permissions, secret_acls
from laketop.workspace.deployment.resources.alerts import Alerts
from laketop.workspace.deployment.resources.apps import Apps
from laketop.workspace.deployment.resources.catalogs import Catalogs
from laketop.workspace.deployment.resources.clusters import Clusters
from laketop.workspace.deployment.resources.dashboards import Dashboards
from laketop.workspace.deployment.resources.database_catalogs import DatabaseCatalogs
from laketop.workspace.deployment.resources.database_instances import DatabaseInstances
from laketop.workspace.deployment.resources.experiments import Experiments
from laketop.workspace.deployment.resources.grants import Grants
from laketop.workspace.deployment.resources.instance_pools import InstancePools
from laketop.workspace.deployment.resources.jobs import Jobs
from laketop.workspace.deployment.resources.model_serving_endpoints import ModelServingEndpoints
from laketop.workspace.deployment.resources.models import Models
from laketop.workspace.deployment.resources.permissions import Permissions
from laketop.workspace.deployment.resources.pipelines import Pipelines
from laketop.workspace.deployment.resources.quality_monitors import QualityMonitors
from laketop.workspace.deployment.resources.registered_models import RegisteredModels
from laketop.workspace.deployment.resources.schemas import Schemas
from laketop.workspace.deployment.resources.secret_acls import SecretAcls
from laketop.workspace.deployment.resources.secret_scopes import SecretScopes
from laketop.workspace.deployment.resources.sql_warehouses import SqlWarehouses
from laketop.workspace.deployment.resources.state_only import StateOnly
from laketop.workspace.deployment.resources.synced_database_tables import SyncedDatabaseTables
from laketop.workspace.deployment.resources.volumes import Volumes

KINDS: dict[str, type[Kind]] = {
    "jobs": Jobs,
    "model_serving_endpoints": ModelServingEndpoints,
    "quality_monitors": QualityMonitors,
    "synced_database_tables": SyncedDatabaseTables,
    "database_catalogs": DatabaseCatalogs,
    "database_instances": DatabaseInstances,
    "apps": Apps,
    "dashboards": Dashboards,
    "pipelines": Pipelines,
    "alerts": Alerts,
    "sql_warehouses": SqlWarehouses,
    "clusters": Clusters,
    "instance_pools": InstancePools,
    "experiments": Experiments,
    "models": Models,
    "secret_scopes": SecretScopes,
    "volumes": Volumes,
    "registered_models": RegisteredModels,
    "schemas": Schemas,
    "catalogs": Catalogs,
}
"""The types that are made on a workspace, in the order in which they are deleted."""


@dataclasses.dataclass(frozen=True)
class Follower:
    """What deploys the permissions or the grants of a type: nodes of their own beside it.

    `body` makes the body of the id on the workspace, which stands in `id_field`, and the entries.
    """

    kind: type[Kind]
    body: Callable[[str, tuple[Body, ...]], dict[str, Any]]
    id_field: str = "id"


def follower(what: str, type_: str) -> Follower | None:
    """Return what deploys the `permissions` or `grants` of a type, None where it has none."""
    if (what, type_) == ("permissions", "secret_scopes"):
        return Follower(SecretAcls, secret_acls.body_of)
    if what == "permissions" and type_ in permissions.OBJECTS:
        id_field = permissions.ID_FIELDS.get(type_, "id")
        return Follower(Permissions, functools.partial(permissions.body_of, type_), id_field)
    if what == "grants" and type_ in grants.OBJECTS:
        return Follower(Grants, functools.partial(grants.body_of, type_))
    return None


def followed(resource: Resource) -> Iterator[tuple[str, tuple[Body, ...], Follower | None]]:
    """Yield the permissions and grants that are asked for on a resource, and what deploys them."""
    for what, entries in (("permissions", resource.permissions), ("grants", resource.grants)):
        if entries:
            yield what, entries, follower(what, resource.type)


__all__ = ["KINDS", "StateOnly", "followed", "follower"]

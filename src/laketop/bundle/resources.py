"""A resource of a bundle: its body in the form of the REST API, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from laketop.bundle.nodes import NOWHERE, Node, Place, dotted, mapped, node_of, plain, steps
from laketop.bundle.references import REFERENCE, references_in
from laketop.errors import ConfigError

SERVED = (
    "alerts",
    "apps",
    "catalogs",
    "clusters",
    "dashboards",
    "database_catalogs",
    "database_instances",
    "experiments",
    "instance_pools",
    "jobs",
    "model_serving_endpoints",
    "models",
    "pipelines",
    "quality_monitors",
    "registered_models",
    "schemas",
    "secret_scopes",
    "sql_warehouses",
    "synced_database_tables",
    "volumes",
)
"""Types that a deployment makes: the workspace has a service for each."""

NOT_RUN: Mapping[str, str] = {
    "alerts": "only tasks evaluate",
    "quality_monitors": "nothing computes",
    "synced_database_tables": "nothing fills",
    **dict.fromkeys(("apps", "dashboards", "models", "pipelines"), "nothing runs"),
    **dict.fromkeys(("database_catalogs", "database_instances"), "nothing runs"),
}
"""Types that are made, and that no service of the local workspace runs; who runs them then."""

STATE_ONLY = (
    "external_locations",
    "genie_spaces",
    "job_runs",
    "postgres_branches",
    "postgres_endpoints",
    "postgres_projects",
    "secrets",
    "vector_search_endpoints",
    "vector_search_indexes",
)
"""Types that load as they are written: deployed as state, and nothing runs behind them."""

IDENTIFIER_NAMED = frozenset({"registered_models", "schemas", "model_serving_endpoints"})
"""Types whose names take a prefix in the form of an identifier."""

PREFIXED = frozenset(
    {
        *("jobs", "pipelines", "experiments", "models", "clusters", "dashboards"),
        *("sql_warehouses", "alerts"),
    }
)
"""Types whose names take a prefix as it is."""

TAG_MAPS = {"jobs": "tags", "pipelines": "tags", "clusters": "custom_tags"}
TAG_LISTS = frozenset({"models", "experiments"})

WITH_PERMISSIONS = frozenset(
    {
        *("jobs", "pipelines", "experiments", "models", "clusters", "dashboards", "alerts"),
        *("sql_warehouses", "model_serving_endpoints", "apps", "secret_scopes"),
        *("database_instances", "genie_spaces", "instance_pools", "postgres_projects"),
        "vector_search_endpoints",
    }
)
WITH_GRANTS = frozenset(
    {
        *("registered_models", "schemas", "volumes", "catalogs", "vector_search_indexes"),
        "external_locations",
    }
)


NOTHING = Node({})


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource.

    `body` is what the create call takes, as plain values; references to what only a deployment
    knows, such as `${resources.jobs.score.id}`, are still in it until `filled`. `depends_on` holds
    names such as "schemas.lake". `permissions` are entries as the permissions API takes them.
    """

    type: str
    key: str
    body: Mapping[str, Any]
    position: Place = NOWHERE
    permissions: tuple[Mapping[str, Any], ...] = ()
    grants: tuple[Mapping[str, Any], ...] = ()
    depends_on: frozenset[str] = frozenset()
    prevent_destroy: bool = False
    tree: Node = field(default=NOTHING, repr=False, compare=False)
    """The body again, each value with its place in a file."""

    @property
    def name(self) -> str:
        """The type and the key, as plans write them: "jobs.training"."""
        return f"{self.type}.{self.key}"

    @property
    def references(self) -> tuple[str, ...]:
        """What is still to be filled in, sorted: "jobs.score.id"."""
        found: set[str] = set()

        def note(_path: object, leaf: Node) -> Node:
            paths = references_in(leaf.text)
            found.update(dotted(path[1:]) for path in paths if path[0] == "resources")
            return leaf

        mapped(node_of(self.body), note)
        return tuple(sorted(found))

    def place_of(self, path: str) -> Place:
        """Return where the value at a dotted path stands; of what is above it if it is nowhere.

        `path` is such as "tasks[0].notebook_task.notebook_path"; empty for the resource itself.
        """
        node, place = self.tree, self.position
        for step in steps(path):
            below = node.child(step)
            if below is None:
                break
            node = below
            place = node.place if node.place.file else place
        return place

    def filled(self, values: Mapping[str, Any]) -> Resource:
        """Return the resource with every reference replaced.

        `values` is such as `{"jobs.score.id": 42}`; a text that is one reference takes over the
        value's type.
        Errors: ConfigError for a reference that `values` does not have.
        """

        def fill(_path: object, leaf: Node) -> Node:
            whole = REFERENCE.fullmatch(leaf.text)
            if whole and whole[1].startswith("resources."):
                return node_of(self._value(whole[1], values))
            return Node(REFERENCE.sub(lambda match: inserted(match[0], match[1]), leaf.text))

        def inserted(text: str, path: str) -> str:
            return str(self._value(path, values)) if path.startswith("resources.") else text

        def change(path: object, leaf: Node) -> Node:
            return fill(path, leaf) if "${resources." in leaf.text else leaf

        return replace(self, body=plain(mapped(node_of(self.body), change)))

    def _value(self, path: str, values: Mapping[str, Any]) -> Any:
        name = path.removeprefix("resources.")
        if name not in values:
            message = f"{self.name} refers to {name!r}, which is not deployed"
            raise ConfigError(message, file=self.position.file, line=self.position.line)
        return values[name]

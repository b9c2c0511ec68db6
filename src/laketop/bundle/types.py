"""What a resource of one type must say, beyond what the table of fields asks."""

from __future__ import annotations

from laketop.bundle import nodes
from laketop.bundle.forms import each
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems

_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "apps": (("source_code_path", "git_source"),),
    "dashboards": (("display_name",), ("warehouse_id",)),
    "sql_warehouses": (("name",),),
}
"""For each type what it cannot be without; of several fields one is enough."""

_RESERVED: dict[str, tuple[nodes.Path, ...]] = {
    "dashboards": (("etag",),),
    "genie_spaces": (("etag",),),
    "jobs": (("deployment", "deployment_id"),),
    "pipelines": (("deployment", "deployment_id"), ("id",)),
}
"""Fields that only a deployment writes."""


def check_types(resources: Node, problems: Problems) -> None:
    """Report resources that lack what their type needs, or set what is not theirs to set.

    Source: Databricks docs, bundle validate.
    """
    for type_, key, resource in each(resources):
        path: nodes.Path = ("resources", type_, key)
        word = type_.removesuffix("s").replace("_", " ")
        for choice in _NEEDED.get(type_, ()):
            if all(resource.get(name) is None for name in choice):
                message = f"{word} {key} needs {' or '.join(choice)}"
                problems.error(message, path, resource)
        for reserved in _RESERVED.get(type_, ()):
            node = resource.get(*reserved)
            if node is not None:
                message = f"{nodes.dotted(reserved)} is set by the deployment, not in a bundle"
                problems.error(message, (*path, *reserved), node, "remove it")
        for index, grant in enumerate((resource.get("grants") or Node(())).elements):
            for name in ("principal", "privileges"):
                node = grant.get(name)
                if node is None or not (node.text or node.elements):
                    at: nodes.Path = (*path, "grants", index)
                    problems.error(f"a grant of {word} {key} has no {name}", at, grant)

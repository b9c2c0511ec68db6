"""Variables whose value is the id of a thing in the workspace, found by its name."""

from __future__ import annotations

from collections.abc import Iterator

from laketop.bundle.model import Find, Lookup
from laketop.bundle.nodes import Node, Path
from laketop.bundle.problems import Problems
from laketop.bundle.references import Resolver
from laketop.errors import NotFound


def looked_up(
    tree: Node, resolver: Resolver, find: Find | None, problems: Problems
) -> tuple[Node, tuple[Lookup, ...]]:
    """Return the tree with the values that `find` knows, and the lookups that are still open.

    Without `find` every lookup is an error: nobody will know the value.
    Source: Databricks docs, bundle variables; a service principal is found by its application id.
    """
    still_open: list[Lookup] = []
    for name, node in _wanted(tree):
        lookup = _lookup(name, node, resolver, problems)
        if lookup is None:
            continue
        value = _found(lookup, find, problems)
        if value is None:
            still_open.append(lookup)
        else:
            tree = tree.put(("variables", name, "value"), Node(value, lookup.place))
    return tree, tuple(still_open)


def _wanted(tree: Node) -> Iterator[tuple[str, Node]]:
    for name, node in (tree.get("variables") or Node({})).entries.items():
        lookup = node.get("lookup")
        if lookup is not None and node.get("value") is None:
            yield name, lookup


def _lookup(name: str, node: Node, resolver: Resolver, problems: Problems) -> Lookup | None:
    path: Path = ("variables", name, "lookup")
    if len(node.entries) != 1:
        said = ", ".join(node.entries) or "nothing"
        message = f"variable {name} looks up {said}, it can look up one thing"
        problems.error(message, path, node)
        return None
    kind = next(iter(node.entries))
    wanted = resolver.at(*(str(step) for step in path), kind) or node
    if "${" in wanted.text:
        message = f"the name {wanted.text!r} that variable {name} looks up is itself not known"
        problems.error(message, (*path, kind), wanted)
        return None
    return Lookup(name, kind, wanted.text, wanted.place)


def _found(lookup: Lookup, find: Find | None, problems: Problems) -> str | None:
    path: Path = ("variables", lookup.variable, "lookup", lookup.kind)
    kind = lookup.kind.replace("_", " ")
    if find is None:
        message = f"variable {lookup.variable} looks up the {kind} {lookup.name!r} in a workspace"
        variable = lookup.variable
        hint = f"give its value with --var {variable}=... or BUNDLE_VAR_{variable}"
        problems.error(message, path, lookup.place, hint)
        return None
    try:
        value = find(lookup.kind, lookup.name)
    except NotFound:
        message = f"the workspace has no {kind} {lookup.name!r}"
        hint = f"give its id with --var {lookup.variable}=..."
        problems.error(message, path, lookup.place, hint)
        return None
    if value is None:
        message = f"variable {lookup.variable} is looked up when the bundle is deployed"
        problems.recommendation(message, path, lookup.place)
    return value

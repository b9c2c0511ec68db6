"""Which target is meant, and the bundle with that target's block laid over it."""

from __future__ import annotations

from collections.abc import Mapping

from laketop.bundle.merging import merge, merged_by
from laketop.bundle.nodes import Node, Path
from laketop.bundle.problems import Problems, near
from laketop.errors import ConfigError

MERGED = ("bundle", "workspace", "artifacts", "resources", "sync", "permissions", "presets")
_OWN_LISTS = {
    "jobs": (
        ("tasks", "task_key"),
        ("job_clusters", "job_cluster_key"),
        ("parameters", "name"),
        ("environments", "environment_key"),
    ),
    "pipelines": (("clusters", "label"),),
    "apps": (("resources", "name"),),
}
"""Lists of which the elements of one key are one element."""

_DEFAULT_KEYS = {("pipelines", "clusters"): "default"}


class NoTarget(ConfigError):
    """Which target is meant cannot be told, or it is not there: whoever names another may go on."""


def chosen(tree: Node, wanted: str | None, environment: Mapping[str, str]) -> tuple[str, Node]:
    """Return the name of the target to use, and its block.

    Errors: NoTarget for a name the bundle does not have, for two defaults, and for several
    targets without a default when none is asked for.
    """
    targets = tree.get("targets") or tree.get("environments") or Node({})
    name = wanted or environment.get("DATABRICKS_BUNDLE_TARGET") or _default(targets)
    block = targets.entries.get(name)
    if block is None and (targets.entries or name != "default"):
        listed = ", ".join(targets.entries) or "none"
        hint = near(name, targets.entries) or f"the bundle has: {listed}"
        message = f"the bundle has no target {name!r}"
        raise NoTarget(message, file=targets.place.file or None, hint=hint)
    return name, block if block is not None and block.kind == "map" else Node({}, targets.place)


def _default(targets: Node) -> str:
    if not targets.entries:
        return "default"
    if len(targets.entries) == 1:
        return next(iter(targets.entries))
    marked = [name for name, n in targets.entries.items() if _is_true(n.get("default"))]
    if len(marked) == 1:
        return marked[0]
    place = targets.place
    listed = ", ".join(marked or targets.entries)
    what = "are all the default" if marked else "are targets and none is the default"
    message = f"{listed} {what}"
    hint = "name one with: -t " + next(iter(targets.entries))
    raise NoTarget(message, file=place.file or None, line=place.line or None, hint=hint)


def _is_true(node: Node | None) -> bool:
    return node is not None and node.value in {True, "true", "yes", "on"}


def overlaid(tree: Node, block: Node, problems: Problems) -> Node:
    """Return the bundle with a target's block laid over it, and without its targets."""
    for key in MERGED:
        over = block.get(key)
        if over is not None:
            under = tree.get(key) or Node(None)
            tree = tree.put((key,), merge(under, over, problems, (key,)))
    run_as = block.get("run_as")
    if run_as is not None:
        tree = tree.put(("run_as",), run_as)
    for key in ("mode", "git", "cluster_id", "compute_id"):
        over = block.get(key)
        if over is not None:
            under = tree.get("bundle", key) or Node(None)
            tree = tree.put(("bundle", key), merge(under, over, problems, ("bundle", key)))
    return tree.without("targets", "environments", "include")


def merged_lists(resources: Node, problems: Problems) -> Node:
    """Return the resources with the elements of one key merged, in the lists that have keys."""
    for type_, lists in _OWN_LISTS.items():
        for key, resource in (resources.get(type_) or Node({})).entries.items():
            for name, by in lists:
                sequence = resource.get(name)
                path: Path = (type_, key, name)
                if sequence is not None and sequence.kind == "sequence":
                    default = _DEFAULT_KEYS.get((type_, name), "")
                    at: Path = ("resources", *path)
                    made = merged_by(by, sequence, problems, at, default=default)
                    resources = resources.put(path, made)
    return resources

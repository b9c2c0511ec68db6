"""Files and a target -> one tree in which every reference is resolved but those to resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from laketop.bundle.lookups import looked_up
from laketop.bundle.model import Lookup, Sync
from laketop.bundle.nodes import Node, plain
from laketop.bundle.patterns import EACH, found
from laketop.bundle.places import (
    DEFAULT_ROOT,
    PATH_KEYS,
    Surroundings,
    bundle_block,
    expanded,
    workspace_block,
)
from laketop.bundle.presets import DEVELOPMENT, PRODUCTION, Presets, presets_of
from laketop.bundle.problems import Problems
from laketop.bundle.python_resources import python_block, with_python
from laketop.bundle.references import REFERENCE, Resolver
from laketop.bundle.shapes import shaped
from laketop.bundle.syncing import sync_of
from laketop.bundle.targets import overlaid
from laketop.bundle.variables import Sources, assigned, defined

_ROOTS = frozenset({"artifacts", "bundle", "workspace", "var", "variables"})
_NO_REFERENCES = ("host", "profile", "auth_type", "account_id", "client_id", "azure_client_id")
_EARLY = ("presets", "sync", "experimental")
_EXPERIMENTS = frozenset({"skip_name_prefix_for_schema", "scripts", "python"})
_WITHOUT_VALUES = frozenset({"scripts", "python"})


@dataclass(frozen=True, slots=True)
class Settled:
    """A bundle as a target sees it, but for its resources, which are yet to be made."""

    tree: Node
    mode: str | None
    presets: Presets
    sync: Sync
    source_linked: bool
    declared_host: str
    lookups: tuple[Lookup, ...]


def laid_out(tree: Node, block: Node, given: Sources, problems: Problems) -> Node:
    """Return the bundle with a target's block laid over it and its variables valued."""
    definitions = defined(tree, block, problems)
    tree = overlaid(tree, block, problems)
    for key in ("bundle", "workspace"):
        node = tree.get(key)
        if node is not None:
            mode = {
                name: n for name, n in node.entries.items() if (key, name) == ("bundle", "mode")
            }
            made = shaped(node.without(*mode), key, problems, (key,))
            tree = tree.put((key,), Node({**made.entries, **mode}, node.place))
    return tree.put(("variables",), assigned(definitions, given, problems))


def note_unsupported(tree: Node, problems: Problems) -> None:
    """Report what a bundle may say and laketop does not do, and references where none count."""
    name = tree.get("bundle", "name")
    if name is None or not name.text:
        hint = "give it one: bundle: {name: my_bundle}"
        at = tree.get("bundle") or tree
        problems.error("the bundle has no name", ("bundle", "name"), at, hint)
    elif "${" in name.text:
        message = f"the bundle's name {name.text!r} should not hold a reference"
        problems.warning(message, ("bundle", "name"), name)
    for key in _NO_REFERENCES:
        node = tree.get("workspace", key)
        if node is not None and "${" in node.text:
            message = f"references are not replaced in {key}, it stays {node.text!r}"
            problems.warning(message, ("workspace", key), node)
    _note_no_effect(tree, problems)


def _note_no_effect(tree: Node, problems: Problems) -> None:
    paths = [("bundle", key) for key in ("cluster_id", "compute_id")]
    experimental = tree.get("experimental") or Node({})
    paths += [("experimental", key) for key in experimental.entries if key not in _EXPERIMENTS]
    for path in paths:
        node = tree.get(*path)
        if node is not None and (node.value or node.entries):
            message = f"{path[1]} has no effect: this is not supported"
            problems.warning(message, path, node)


def settled(
    tree: Node, target: str, around: Surroundings, source_linked: bool | None, problems: Problems
) -> Settled:
    """Return the tree that `laid_out` gave with its references resolved.

    `source_linked` None leaves it to the preset, else to the mode.
    """
    declared_host = tree.text_at("workspace", "host")
    recommended = tree.get("workspace", "root_path")
    tree = tree.put(("bundle",), bundle_block(tree, target, around.git))
    tree = tree.put(("workspace",), workspace_block(tree, around))
    tree, lookups = looked_up(tree, _resolver(tree, problems), around.find, problems)
    resolver = _resolver(tree, problems)
    early = Node({key: resolver.at(key) or Node({}) for key in _EARLY})
    early = shaped(early, "root", Problems(), whole=False)
    mode = _mode(resolver)
    presets = presets_of(early, mode, around.user)
    if mode == PRODUCTION and recommended is None:
        message = f"a target in production should set workspace.root_path, it is {DEFAULT_ROOT!r}"
        problems.recommendation(message, ("workspace", "root_path"), tree.get("workspace"))
    sync = sync_of(early, around.root, problems)
    linked = source_linked if source_linked is not None else presets.source_linked
    linked = mode == DEVELOPMENT if linked is None else linked
    if linked:
        place = (tree.get("workspace") or tree).place
        tree = tree.put(("workspace", "file_path"), Node(str(sync.root), place))
    tree = with_python(tree, target, _values(tree, problems), around.root, problems)
    tree = _resolved(tree, around.user, problems)
    return Settled(tree, mode, presets, sync, linked, declared_host, lookups)


def _mode(resolver: Resolver) -> str | None:
    node = resolver.at("bundle", "mode")
    return node.text if node is not None and node.text in {DEVELOPMENT, PRODUCTION} else None


def _values(tree: Node, problems: Problems) -> dict[str, Any]:
    """Return the values of the variables, where functions in Python may ask for them."""
    if python_block(tree) is None:
        return {}
    resolver, names = _resolver(tree, problems), tree.get("variables") or Node({})
    found = {name: resolver.at("variables", name, "value") for name in names.entries}
    return {name: plain(node) for name, node in found.items() if node is not None}


def _resolver(tree: Node, problems: Problems) -> Resolver:
    declared = (tree.get("variables") or Node({})).entries
    missing = {name for name, node in declared.items() if "value" not in node.entries}
    return Resolver(
        tree,
        _ROOTS,
        problems,
        later=lambda path: path[0] == "variables" and path[1] in missing,
    )


def _resolved(tree: Node, user: str, problems: Problems) -> Node:
    resolver = _resolver(tree, problems)
    made = {
        key: node if key in _WITHOUT_VALUES else resolver.resolve(node, (key,))
        for key, node in tree.without("variables").entries.items()
    }
    if "scripts" in made:
        made["scripts"] = _with_environments(made["scripts"], resolver, problems)
    variables = tree.get("variables") or Node({})
    for at, node in found(variables, (EACH, "value")):
        variables = variables.put(at, resolver.resolve(node, ("variables", *at)))
    workspace = made["workspace"]
    for key in PATH_KEYS:
        path = workspace.get(key) or workspace
        workspace = workspace.put((key,), Node(expanded(path.text, user), path.place))
    kept = {"bundle": made["bundle"], "workspace": workspace, "variables": variables}
    rest = Node(made, tree.place).without(*kept)
    _note_undefined(rest, problems)
    parts = Node({key: node for key, node in rest.entries.items() if key == "resources"})
    fitted = {
        **shaped(rest.without("resources"), "root", problems).entries,
        # A list may still hold parts of one task, to be merged; what is missing shows later.
        **shaped(parts, "root", problems, whole=False).entries,
    }
    return Node({**kept, **fitted}, tree.place)


def _with_environments(scripts: Node, resolver: Resolver, problems: Problems) -> Node:
    """Return the scripts with the references in their `env` resolved: their text has none."""
    for at, node in found(scripts, (EACH, "env")):
        scripts = scripts.put(at, resolver.resolve(node, ("scripts", *at)))
    for at, node in found(scripts, (EACH, "content")):
        if REFERENCE.search(node.text):
            message = f"the script {at[0]} holds a reference, which is not replaced in scripts"
            problems.error(message, ("scripts", *at), node, "pass it with: env")
    return scripts


def _note_undefined(tree: Node, problems: Problems) -> None:
    for path, node in (*found(tree, ("artifacts", EACH)), *found(tree, ("resources", EACH, EACH))):
        if node.value is None:
            kind = str(path[-2]).removesuffix("s").replace("_", " ")
            problems.error(f"{kind} {path[-1]} is not defined", path, node)

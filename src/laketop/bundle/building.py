"""A settled tree -> its resources, each as it is written and as it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from laketop.bundle import nodes
from laketop.bundle.artifacts import Libraries, artifacts_of
from laketop.bundle.contents import with_contents
from laketop.bundle.forms import (
    LATER,
    captured,
    create_form,
    each,
    with_computed,
    with_defaults,
    with_job_settings,
    with_served_entities,
)
from laketop.bundle.lint import check_wiring
from laketop.bundle.model import Artifact, Upload
from laketop.bundle.nodes import Node, leaves, plain
from laketop.bundle.ordering import cycles_of
from laketop.bundle.paths import Translator
from laketop.bundle.permissions import (
    check_deployer,
    check_entries,
    check_run_as,
    check_shared,
    entries_for,
)
from laketop.bundle.places import Surroundings
from laketop.bundle.presets import applied, check_mode
from laketop.bundle.problems import Problems
from laketop.bundle.references import Resolver, references_in
from laketop.bundle.resources import NOT_RUN, STATE_ONLY, Resource
from laketop.bundle.settling import Settled
from laketop.bundle.shapes import shaped
from laketop.bundle.targets import merged_lists
from laketop.bundle.types import check_types
from laketop.bundle.wiring import check_jobs

_FIELD = 3
"""Where the field stands in the path of a reference to a resource."""


@dataclass(frozen=True, slots=True)
class Built:
    """The whole tree with its resources made, the resources, and the local files they use."""

    tree: Node
    resources: Mapping[str, Mapping[str, Resource]]
    artifacts: tuple[Artifact, ...]
    uploads: tuple[Upload, ...]


def built(
    settled: Settled, around: Surroundings, problems: Problems, *, lint: bool = False
) -> Built:
    """Return the resources of a settled tree; what is wrong with them goes to `problems`."""
    tree, user = settled.tree, around.user
    check_mode(tree, settled.mode, user, problems, source_linked=settled.source_linked)
    written = merged_lists(_known(tree.get("resources") or Node({}), problems), problems)
    resource_path = tree.text_at("workspace", "resource_path")
    written = applied(captured(with_defaults(written, resource_path)), settled.presets)
    written = with_served_entities(written, problems)
    needs = _needs(written, problems)
    written = _referred(written, problems)
    tree = tree.put(("resources",), written)
    artifacts = artifacts_of(
        tree, around.root, dynamic=settled.presets.dynamic_version, problems=problems
    )
    if lint:
        check_wiring(tree, settled.mode, around.root, problems)
    file_path = tree.text_at("workspace", "file_path")
    translator = Translator(around.root, settled.sync.root, file_path, problems)
    written = with_contents(written, around.root, problems)
    artifact_path = tree.text_at("workspace", "artifact_path")
    libraries = Libraries(translator, artifacts, artifact_path, problems)
    written = libraries.rewritten(translator.translated(written))
    check_jobs(written, problems)
    check_types(written, problems)
    state_path = tree.text_at("workspace", "state_path")
    tree = tree.put(("resources",), with_job_settings(written, state_path, tree.get("run_as")))
    _check_access(tree, user, problems)
    resources = _resources(tree, needs, user, problems)
    return Built(tree, resources, artifacts, tuple(libraries.uploads.values()))


def _known(resources: Node, problems: Problems) -> Node:
    kept: dict[str, Node] = {}
    for type_, of_type in resources.entries.items():
        known = {}
        for key, resource in of_type.entries.items():
            path: nodes.Path = ("resources", type_, key)
            word = type_.removesuffix("s").replace("_", " ")
            if "${" in key:
                message = f"the key {key!r} of a {word} cannot hold a reference"
                problems.error(message, path, resource)
            elif resource.kind == "map":
                known[key] = resource
            if type_ in STATE_ONLY:
                message = f"{type_} are deployed as state only: nothing runs behind {key!r}"
                problems.warning(message, path, resource)
            if type_ in NOT_RUN:
                message = f"{type_} are deployed as objects: {NOT_RUN[type_]} {key!r} here"
                problems.warning(message, path, resource)
        kept[type_] = Node(known, of_type.place)
    return Node(kept, resources.place)


def _needs(resources: Node, problems: Problems) -> dict[str, frozenset[str]]:
    made: dict[str, frozenset[str]] = {}
    for type_, key, resource in each(resources):
        own = f"{type_}.{key}"
        paths = [path for _, leaf in leaves(resource) for path in references_in(leaf.text)]
        names = {f"{p[1]}.{p[2]}" for p in paths if p[0] == "resources" and len(p) >= _FIELD}
        made[own] = frozenset(names - {own})
    made = {name: needed.intersection(made) for name, needed in made.items()}
    for chain in cycles_of({name: sorted(needed) for name, needed in made.items()}):
        type_, _, key = chain[0].partition(".")
        message = f"the resources form a cycle: {' -> '.join(chain)}"
        problems.error(message, ("resources", type_, key), resources.get(type_, key))
    return made


def _referred(resources: Node, problems: Problems) -> Node:
    """Return the resources with the references to each other resolved, where they are known."""
    tree = Node({"resources": with_computed(resources)})

    def later(path: nodes.Path) -> bool:
        if tree.get(*path[:_FIELD]) is None or len(path) <= _FIELD:
            return False
        # What only an answer of these tells is not listed: the deployment looks.
        return path[_FIELD] in LATER or path[1] in {*STATE_ONLY, *NOT_RUN}

    resolver = Resolver(tree, frozenset({"resources"}), problems, later=later)
    made = resolver.resolve(resources, ("resources",))
    return shaped(made, "resources", problems, ("resources",))


def _check_access(tree: Node, user: str, problems: Problems) -> None:
    check_run_as(tree, user, problems)
    check_entries(tree.get("permissions"), ("permissions",), problems)
    check_deployer(tree, user, problems)
    check_shared(tree, problems)
    for type_, key, node in each(tree.get("resources") or Node({})):
        path: nodes.Path = ("resources", type_, key, "permissions")
        check_entries(node.get("permissions"), path, problems)


def _resources(
    tree: Node, needs: Mapping[str, frozenset[str]], user: str, problems: Problems
) -> dict[str, dict[str, Resource]]:
    made: dict[str, dict[str, Resource]] = {}
    for type_, key, node in each(tree.get("resources") or Node({})):
        protected = node.get("lifecycle", "prevent_destroy")
        permissions = entries_for((type_, key), node, tree.get("permissions"), user, problems)
        body = create_form(type_, node)
        made.setdefault(type_, {})[key] = Resource(
            type=type_,
            key=key,
            body=plain(body),
            tree=body,
            position=node.place,
            permissions=permissions,
            grants=tuple(map(plain, (node.get("grants") or Node(())).elements)),
            depends_on=needs[f"{type_}.{key}"],
            prevent_destroy=protected is not None and protected.value is True,
        )
    return made

"""Loads a bundle: small steps from files to one frozen `Bundle`, each fed by the last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from laketop.bundle.building import Built, built
from laketop.bundle.git import git_of
from laketop.bundle.model import Bundle, Deploying, Find, Git, Script, Workspace
from laketop.bundle.nodes import Node, plain
from laketop.bundle.places import PATH_KEYS, Surroundings
from laketop.bundle.problems import Problems
from laketop.bundle.roots import read_all
from laketop.bundle.settling import Settled, laid_out, note_unsupported, settled
from laketop.bundle.shapes import shaped
from laketop.bundle.targets import MERGED, chosen
from laketop.bundle.variables import Sources, overrides_of
from laketop.bundle.wiring import note_doubles

_NONE: Mapping[str, str] = MappingProxyType({})


def load(
    root: Path,
    *,
    target: str | None = None,
    variables: Mapping[str, str] = _NONE,
    environment: Mapping[str, str] = _NONE,
    user: str = "me@laketop.local",
    source_linked: bool | None = None,
    host: str | None = "http://127.0.0.1",
    force: bool = False,
    find: Find | None = None,
    lint: bool = False,
) -> Bundle:
    """Return the bundle in `root` as one of its targets sees it.

    `source_linked` None leaves it to the bundle's preset, else to the mode: on in development.
    `host` None leaves the host to the bundle. `force` allows another Git branch than the target's.
    `find` finds the ids of things in the workspace for variables with a `lookup`; without it such
    variables are errors. `lint` looks for what cannot work when the jobs run, in their code too.

    Errors: ConfigError only where nothing can be made of it: no root file, no YAML, no such
    target. All else is in `Bundle.problems`, all at once.
    """
    root = root.absolute()
    problems = Problems()
    tree, sources = read_all(root, problems)
    name, block = chosen(tree, target, environment)
    _check_targets(tree, name, block, problems)
    around = Surroundings(root, user, host, git_of(root), find)
    given = Sources(variables, environment, overrides_of(root, name, problems))
    tree = laid_out(tree, block, given, problems)
    note_unsupported(tree, problems)
    known = settled(tree, name, around, source_linked, problems)
    if not force:
        _check_branch(known.tree, around.git, problems)
    made = built(known, around, problems, lint=lint)
    return _bundle(name, known, made, around, sources=sources, problems=problems)


def _check_targets(tree: Node, name: str, block: Node, problems: Problems) -> None:
    targets = tree.get("targets") or tree.get("environments") or Node({})
    for other, node in targets.entries.items():
        part = node.without(*MERGED) if other == name else node
        if node.kind == "map":
            shaped(part, "target", problems, ("targets", other), whole=False)
    for holder in (tree, block):
        note_doubles(holder.get("resources") or Node({}), problems)


def _check_branch(tree: Node, git: Git, problems: Problems) -> None:
    wanted = tree.get("bundle", "git", "branch")
    if wanted is None or not wanted.text or not git.branch or wanted.text == git.branch:
        return
    message = f"not on the right Git branch: {wanted.text!r} is wanted, {git.branch!r} is here"
    problems.error(message, ("bundle", "git", "branch"), wanted, "check it out, or use --force")


def _bundle(
    target: str,
    known: Settled,
    made: Built,
    around: Surroundings,
    *,
    sources: tuple[Path, ...],
    problems: Problems,
) -> Bundle:
    tree = made.tree
    return Bundle(
        name=tree.text_at("bundle", "name"),
        root=around.root,
        target=target,
        mode=known.mode,
        user=around.user,
        workspace=_workspace(tree, known.declared_host),
        git=around.git,
        variables=_values(tree),
        resources=made.resources,
        artifacts=made.artifacts,
        uploads=made.uploads,
        sync=known.sync,
        problems=problems.all(),
        source_linked=known.source_linked,
        configuration=plain(tree),
        tree=tree,
        sources=sources,
        scripts=_scripts(tree),
        deploying=_deploying(tree, known.mode),
        hooks={key: node.text for key, node in _below(tree, "experimental", "scripts")},
        lookups=known.lookups,
    )


def _deploying(tree: Node, mode: str | None) -> Deploying:
    block = plain(tree.get("bundle", "deployment") or Node({})) or {}
    lock = block.get("lock") or {}
    enabled = lock.get("enabled")
    return Deploying(
        fail_on_active_runs=bool(block.get("fail_on_active_runs")),
        lock=mode != "development" if enabled is None else bool(enabled),
        force_lock=bool(lock.get("force")),
    )


def _scripts(tree: Node) -> dict[str, Script]:
    return {
        key: Script(
            key,
            node.text_at("content"),
            {name: value.text for name, value in _below(node, "env")},
            node.place,
        )
        for key, node in _below(tree, "scripts")
    }


def _below(tree: Node, *path: str) -> list[tuple[str, Node]]:
    return [*(tree.get(*path) or Node({})).entries.items()]


def _workspace(tree: Node, declared_host: str) -> Workspace:
    paths = {key: tree.text_at("workspace", key) for key in PATH_KEYS}
    return Workspace(
        **paths,
        host=tree.text_at("workspace", "host"),
        declared_host=declared_host,
        profile=tree.text_at("workspace", "profile"),
    )


def _values(tree: Node) -> dict[str, Any]:
    variables = (tree.get("variables") or Node({})).entries
    return {
        name: plain(node.entries["value"])
        for name, node in variables.items()
        if "value" in node.entries
    }

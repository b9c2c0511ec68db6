"""What a deployment would do: the bundle against the state, the state against the workspace."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from laketop.bundle import Bundle, Resource
from laketop.errors import ConfigError
from laketop.workspace.deployment.api import Api
from laketop.workspace.deployment.differing import changes
from laketop.workspace.deployment.kind import Kind
from laketop.workspace.deployment.references import UNKNOWN, filled
from laketop.workspace.deployment.resources import KINDS, StateOnly, followed, follower
from laketop.workspace.deployment.state import Entry, State

Action = Literal["create", "update", "recreate", "delete", "unchanged"]

_WORDS = {"create": "add", "update": "change", "delete": "delete"}


@dataclasses.dataclass(frozen=True)
class Node:
    """Something to be deployed: a resource, or the permissions or grants on one.

    `body` still holds its references; `needs` are the names of nodes that come before.
    """

    name: str
    kind: Kind
    body: Mapping[str, Any]
    needs: tuple[str, ...]
    resource: Resource

    @property
    def is_follower(self) -> bool:
        """Whether this belongs to a resource that is a node of its own."""
        return self.name != self.resource.name


@dataclasses.dataclass(frozen=True)
class Edit:
    """A field that is not as the bundle says; `by` tells who changed it since last time."""

    path: str
    old: Any
    new: Any
    by: Literal["bundle", "workspace"]


@dataclasses.dataclass(frozen=True)
class Step:
    """What happens to one node; `now` is what the workspace tells of it."""

    name: str
    action: Action
    kind: Kind
    node: Node | None = None
    body: Any = None
    now: Any = None
    edits: tuple[Edit, ...] = ()


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps of a deployment: what goes first, then each resource after those it needs."""

    steps: tuple[Step, ...]

    @property
    def changing(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if step.action != "unchanged")

    @property
    def asking(self) -> tuple[Step, ...]:
        """The steps that delete what users may have put data into."""
        return tuple(
            step
            for step in self.steps
            if step.action in {"delete", "recreate"} and step.kind.holds_data
        )

    @property
    def summary(self) -> str:
        """The counts in one line; a resource that is made anew counts twice."""
        counts = dict.fromkeys(("add", "change", "delete", "unchanged"), 0)
        for step in self.steps:
            both = ("add", "delete") if step.action == "recreate" else ()
            for word in both or (_WORDS.get(step.action, "unchanged"),):
                counts[word] += 1
        return (
            f"Plan: {counts['add']} to add, {counts['change']} to change,"
            f" {counts['delete']} to delete, {counts['unchanged']} unchanged"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as the official tools write it as JSON.

        Source: Databricks docs, bundle commands.
        """
        return {
            "plan_version": 2,
            "plan": {f"resources.{step.name}": _as_dict(step) for step in self.steps},
        }


def _as_dict(step: Step) -> dict[str, Any]:
    told: dict[str, Any] = {"action": "skip" if step.action == "unchanged" else step.action}
    if step.node is not None and step.node.needs:
        told["depends_on"] = [{"node": f"resources.{name}"} for name in step.node.needs]
    if step.body is not None:
        told["new_state"] = {"value": step.body}
    if step.now is not None:
        told["remote_state"] = step.now
    if step.edits:
        told["changes"] = {
            edit.path: {"old": edit.old, "new": edit.new, "changed_by": edit.by}
            for edit in step.edits
        }
    return told


class Planner:
    """Makes plans of a bundle for a workspace; reads, and never writes."""

    def __init__(self, bundle: Bundle, state: State, api: Api) -> None:
        self._bundle = bundle
        self._state = state
        self._api = api
        self._values: dict[str, tuple[str, dict[str, Any]]] = {}
        self._anew: set[str] = set()
        """While a plan is made, what it makes anew: nobody knows its id yet."""

    def plan(self, *, deletes: bool = True) -> Plan:
        """Return what is to be done; with `deletes` what the bundle no longer has goes."""
        nodes = list(self.nodes())
        made = []
        for node in nodes:
            step = self._followed(self._step(node))
            if step.action in {"create", "recreate"}:
                self._anew.add(node.name)
            made.append(step)
        self._anew.clear()
        gone = self.deletions({node.name for node in nodes}) if deletes else ()
        return Plan((*gone, *made))

    def deletions(self, kept: set[str]) -> tuple[Step, ...]:
        """Return the steps that delete what is deployed and not among `kept`, in their order."""
        gone = [name for name in self._state.entries if name not in kept]
        # What belongs to a resource goes with it.
        gone = [name for name in gone if _resource_of(name) == name or _resource_of(name) in kept]
        order = ["", *KINDS]
        ranked = sorted(gone, key=lambda name: (_rank(name, order), name))
        return tuple(Step(name, "delete", self._kind(name)) for name in ranked)

    def nodes(self) -> Iterator[Node]:
        """Yield each resource after those that it needs, each followed by what is on it."""
        for resource in self._bundle.ordered:
            kind = self._kind(resource.name)
            needs = tuple(sorted(resource.depends_on))
            yield Node(resource.name, kind, resource.body, needs, resource)
            for what, entries, found in followed(resource):
                if found is not None:
                    key = f"${{resources.{resource.name}.{found.id_field}}}"
                    name, body = f"{resource.name}.{what}", found.body(key, entries)
                    yield Node(name, found.kind(self._api), body, (resource.name,), resource)

    def filled(self, body: Any) -> Any:
        """Return a body with the references replaced that are known by now."""
        return filled(body, self._look_up)

    def _kind(self, name: str) -> Kind:
        type_, _, rest = name.partition(".")
        what = rest.rpartition(".")[2] if _resource_of(name) != name else ""
        found = follower(what, type_)
        return (found.kind if found is not None else KINDS.get(type_, StateOnly))(self._api)

    def _step(self, node: Node) -> Step:
        body = self.filled(node.body)
        entry = self._state.look_up(node.name)
        now = None if entry is None else node.kind.read(entry.id)
        if entry is None or now is None:
            return Step(node.name, "create", node.kind, node, body)
        stays = {field for field in node.kind.lasting if not body.get(field)}
        found = (*_edits(entry, body), *_drift(entry, now))
        edits = tuple(edit for edit in found if top_of(edit.path) not in stays)
        fixed = [edit for edit in edits if top_of(edit.path) in node.kind.immutable]
        action: Action = "recreate" if fixed else "update" if edits else "unchanged"
        if fixed and node.resource.prevent_destroy:
            raise ConfigError(
                f"{node.name} would be deleted and created anew, since {fixed[0].path} changed,"
                " and its lifecycle has prevent_destroy",
                file=node.resource.position.file,
                line=node.resource.position.line,
            )
        return Step(node.name, action, node.kind, node, body, now, edits)

    def _followed(self, step: Step) -> Step:
        """Return the step of something that is set on a resource which is about to be new."""
        node = step.node
        if node is None or not node.is_follower or node.resource.name not in self._anew:
            return step
        return dataclasses.replace(step, action="create", now=None, edits=())

    def _look_up(self, name: str) -> Any:
        """Return what a reference names: what only the workspace knows, or a field of a body."""
        type_, key, *path = name.split(".")
        owner = f"{type_}.{key}"
        resource = self._bundle.resources.get(type_, {}).get(key)
        entry = self._state.look_up(owner)
        if entry is not None and owner not in self._anew and len(path) == 1:
            found = self._values_of(owner, entry)
            if path[0] in found:
                return found[path[0]]
        value: Any = None if resource is None else resource.body
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return UNKNOWN if value is None else self.filled(value)

    def _values_of(self, owner: str, entry: Entry) -> dict[str, Any]:
        known = self._values.get(owner)
        if known is None or known[0] != entry.id:
            known = (entry.id, self._kind(owner).values(entry.id, entry.body))
            self._values[owner] = known
        return known[1]


def _resource_of(name: str) -> str:
    """Return the resource that a name belongs to: "jobs.k" of "jobs.k.permissions"."""
    return ".".join(name.split(".")[:2])


def _rank(name: str, order: list[str]) -> int:
    type_ = name.partition(".")[0]
    if _resource_of(name) != name:
        return -1
    return order.index(type_) if type_ in order else 0


def top_of(path: str) -> str:
    """Return the field of a body that a path leads into: "tasks" of "tasks[t].max_retries"."""
    return path.partition(".")[0].partition("[")[0]


def _edits(entry: Entry, body: Any) -> Iterator[Edit]:
    for change in changes(entry.body, body):
        yield Edit(change.path, change.old, change.new, "bundle")


def _drift(entry: Entry, now: Any) -> Iterator[Edit]:
    """Yield what somebody changed since the deployment; without its answer, what differs in it."""
    if entry.seen is not None:
        for change in changes(entry.seen, now):
            yield Edit(change.path, change.old, change.new, "workspace")
        return
    for change in changes(entry.body, now):
        if change.old is not None and change.old != "":  # what is added is the workspace's default
            yield Edit(change.path, change.old, change.new, "workspace")

"""The graph of a job's tasks: who waits for whom."""

from __future__ import annotations

import dataclasses
import graphlib
from typing import TYPE_CHECKING, Any

from laketop.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Edge:
    """What a task waits for: a task and, where that is a condition, the outcome wanted."""

    parent: str
    outcome: str | None = None


@dataclasses.dataclass(frozen=True)
class Graph:
    """The edges of every task, by task key, in the order of the job."""

    edges: Mapping[str, tuple[Edge, ...]]

    @classmethod
    def of(cls, tasks: Sequence[Mapping[str, Any]]) -> Graph:
        """Return the graph of `tasks`, in REST form.

        Errors: one ConfigError that names every task without a key, key used twice, unknown
        parent, outcome of a task that is no condition, and cycle (as `a -> b -> a`).
        """
        keys = [task.get("task_key", "") for task in tasks]
        conditions = {task.get("task_key", "") for task in tasks if "condition_task" in task}
        graph = cls({key: tuple(_edges(task)) for key, task in zip(keys, tasks, strict=True)})
        problems = [*_key_problems(keys), *graph._edge_problems(conditions)]
        if not problems:
            problems = graph._cycle_problems()
        if problems:
            raise ConfigError("; ".join(problems), hint="see `tasks` and their `depends_on`")
        return graph

    def parents(self, key: str) -> tuple[str, ...]:
        """Return the tasks that `key` waits for."""
        return tuple(edge.parent for edge in self.edges[key])

    def children(self, key: str) -> tuple[str, ...]:
        """Return the tasks that wait for `key`."""
        return self._children.get(key, ())

    def upstream(self, key: str) -> set[str]:
        """Return everything that `key` waits for, directly or not."""
        return _reach(key, self.parents)

    def downstream(self, key: str) -> set[str]:
        """Return everything that waits for `key`, directly or not."""
        return _reach(key, self.children)

    def leaves(self) -> tuple[str, ...]:
        """Return the tasks that nothing waits for."""
        return tuple(key for key in self.edges if not self.children(key))

    def order(self) -> tuple[str, ...]:
        """Return the tasks, every one after its parents."""
        parents = {key: self.parents(key) for key in self.edges}
        return tuple(graphlib.TopologicalSorter(parents).static_order())

    def without(self, keys: Collection[str]) -> Graph:
        """Return the graph that is left when the tasks `keys` and their edges are taken out."""
        return Graph(
            {
                key: tuple(edge for edge in edges if edge.parent not in keys)
                for key, edges in self.edges.items()
                if key not in keys
            }
        )

    def select(self, only: Iterable[str]) -> set[str]:
        """Return the tasks that `only` names: `a` itself, `+a` and all upstream, `a+` downstream.

        Errors: ConfigError for a task that does not exist.
        Source: Jobs API 2.2, queueing.
        """
        chosen: set[str] = set()
        for text in only:
            key = text.removeprefix("+").removesuffix("+")
            if key not in self.edges:
                raise ConfigError(f"`only` names the task {key!r}, which does not exist")
            chosen.add(key)
            if text.startswith("+"):
                chosen |= self.upstream(key)
            if text.endswith("+"):
                chosen |= self.downstream(key)
        return chosen

    def __post_init__(self) -> None:
        children: dict[str, list[str]] = {}
        for key, edges in self.edges.items():
            for parent in dict.fromkeys(edge.parent for edge in edges):
                children.setdefault(parent, []).append(key)
        frozen = {key: tuple(found) for key, found in children.items()}
        object.__setattr__(self, "_children", frozen)

    _children: Mapping[str, tuple[str, ...]] = dataclasses.field(
        init=False, repr=False, compare=False
    )

    def _edge_problems(self, conditions: Collection[str]) -> Iterator[str]:
        for key, edges in self.edges.items():
            for edge in edges:
                if edge.parent not in self.edges:
                    yield f"task {key!r} depends on {edge.parent!r}, which does not exist"
                elif edge.outcome not in {None, "true", "false"}:
                    yield f"task {key!r} wants the outcome {edge.outcome!r} of {edge.parent!r}"
                elif edge.outcome and edge.parent not in conditions:
                    yield f"task {key!r} wants an outcome of {edge.parent!r}, no condition task"

    def _cycle_problems(self) -> list[str]:
        try:
            self.order()
        except graphlib.CycleError as error:
            # graphlib lists it from parent to child, which is the order that runs would take.
            return [f"tasks wait for each other: {' -> '.join(error.args[1])}"]
        return []


def _edges(task: Mapping[str, Any]) -> Iterator[Edge]:
    for dependency in task.get("depends_on") or ():
        yield Edge(dependency["task_key"], dependency.get("outcome"))


def _key_problems(keys: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for number, key in enumerate(keys, 1):
        if not key:
            yield f"task number {number} has no `task_key`"
        elif key in seen:
            yield f"the task key {key!r} is used twice"
        seen.add(key)


def _reach(start: str, step: Callable[[str], tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    edge = list(step(start))
    while edge:
        key = edge.pop()
        if key not in found:
            found.add(key)
            edge.extend(step(key))
    return found

"""A tree of values that each know the place in a file where they stand."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Path: TypeAlias = tuple[str | int, ...]

NODE_LIMIT = 100_000
"""Values in one tree, counted as if every alias were written out."""
DEPTH_LIMIT = 100
TEXT_LIMIT = 1_000_000
"""Characters in one text, and bytes in one file."""

_MAPS = (dict, MappingProxyType)
"""What a map is made of: asking for these takes a tenth of asking for `Mapping`."""
_NO_KEYS: Mapping[str, Node] = MappingProxyType({})
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value stands: a file relative to the bundle's root, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("", 0, 0)
"""The place of a value that no file holds."""


@dataclass(frozen=True, slots=True)
class Node:
    """A map, a sequence or a scalar, and its place.

    `beneath` is the map that a text such as `${var.cluster}` was laid over by a target: the two
    are merged once the text is known.
    """

    value: Mapping[str, Node] | tuple[Node, ...] | Scalar
    place: Place = NOWHERE
    beneath: Node | None = None
    anchored: bool = field(default=False, compare=False, repr=False, kw_only=True)
    key_at: tuple[int, int] | None = field(default=None, compare=False, repr=False, kw_only=True)
    """Line and column of the key that the file has it under, where that is known."""
    size: int = field(init=False, compare=False, repr=False)
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        size, depth = 1, 0
        if isinstance(self.value, str):
            size += len(self.value) // 100
        else:
            for child in self._children():
                size += child.size
                depth = max(depth, child.depth)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "depth", depth + 1)

    def _children(self) -> tuple[Node, ...]:
        if isinstance(self.value, _MAPS):
            return tuple(self.value.values())
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def kind(self) -> str:
        """The word for what this is: map, sequence, string, int, float, bool or null."""
        if isinstance(self.value, _MAPS):
            return "map"
        if isinstance(self.value, tuple):
            return "sequence"
        words = {bool: "bool", int: "int", float: "float", str: "string"}
        return words.get(type(self.value), "null")

    @property
    def key_place(self) -> Place:
        """Where its key stands; its own place where that is not known."""
        return self.place if self.key_at is None else Place(self.place.file, *self.key_at)

    @property
    def entries(self) -> Mapping[str, Node]:
        """The entries of a map; none for anything else."""
        return self.value if isinstance(self.value, _MAPS) else _NO_KEYS

    @property
    def elements(self) -> tuple[Node, ...]:
        """The elements of a sequence; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str:
        """The text of a string; empty for anything else."""
        return self.value if isinstance(self.value, str) else ""

    def get(self, *path: str | int) -> Node | None:
        """Return the node at `path` below this one, or None."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            node = node.child(step)
        return node

    def child(self, step: str | int) -> Node | None:
        """Return the node one step below this one, or None."""
        if isinstance(step, str):
            return self.entries.get(step)
        return self.elements[step] if step < len(self.elements) else None

    def text_at(self, *path: str | int) -> str:
        """Return the text at `path`; empty where there is none."""
        node = self.get(*path)
        return "" if node is None else node.text

    def put(self, path: Path, new: Node) -> Node:
        """Return this tree with `new` at `path`; maps on the way are made where missing."""
        if not path:
            return new
        step, rest = path[0], path[1:]
        if isinstance(step, int):
            elements = self.elements
            changed = (elements[step].put(rest, new),)
            return self.holding((*elements[:step], *changed, *elements[step + 1 :]))
        below = self.entries.get(step) or Node({}, new.place)
        return self.holding({**self.entries, step: below.put(rest, new)})

    def without(self, *keys: str) -> Node:
        """Return this map less some of its keys."""
        return self.holding({key: n for key, n in self.entries.items() if key not in keys})

    def under(self, key_at: tuple[int, int]) -> Node:
        """Return this node under another key of its file, however much it holds at no more cost."""
        other = copy.copy(self)
        object.__setattr__(other, "key_at", key_at)
        return other

    def holding(self, value: Mapping[str, Node] | tuple[Node, ...]) -> Node:
        """Return another map or sequence in the same place."""
        return Node(value, self.place, key_at=self.key_at)


def leaves(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every scalar below `node` with its path, in order."""
    if isinstance(node.value, _MAPS):
        for key, child in node.value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(node.value, tuple):
        for index, child in enumerate(node.value):
            yield from leaves(child, (*path, index))
    else:
        yield path, node


def mapped(node: Node, change: Callable[[Path, Node], Node], path: Path = ()) -> Node:
    """Return the tree with every scalar replaced by `change(path, scalar)`."""
    if isinstance(node.value, _MAPS):
        entries = {key: mapped(n, change, (*path, key)) for key, n in node.value.items()}
        return _remade(node, entries)
    if isinstance(node.value, tuple):
        changed = (mapped(n, change, (*path, i)) for i, n in enumerate(node.value))
        return _remade(node, tuple(changed))
    return change(path, node)


def _remade(node: Node, value: Mapping[str, Node] | tuple[Node, ...]) -> Node:
    anchored, key_at = node.anchored, node.key_at
    return Node(value, node.place, node.beneath, anchored=anchored, key_at=key_at)


def plain(node: Node) -> Any:
    """Return the values alone, as `json` would read them."""
    if isinstance(node.value, _MAPS):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def node_of(value: object, place: Place = NOWHERE) -> Node:
    """Return the tree of plain values, every node at one `place`."""
    if isinstance(value, Mapping):
        return Node({str(key): node_of(item, place) for key, item in value.items()}, place)
    if isinstance(value, (list, tuple)):
        return Node(tuple(node_of(item, place) for item in value), place)
    if value is None or isinstance(value, (str, int, float, bool)):
        return Node(value, place)
    message = f"{value!r} has no place in a bundle"
    raise TypeError(message)


def dotted(path: Path) -> str:
    """Return a path as messages write it.

    >>> dotted(("resources", "jobs", "nightly", "tasks", 0, "task_key"))
    'resources.jobs.nightly.tasks[0].task_key'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def steps(text: str) -> Path:
    """Return the path that `dotted` wrote.

    >>> steps("libraries[0].whl")
    ('libraries', 0, 'whl')
    """
    return tuple(int(index) if index else name for name, index in _STEP.findall(text))

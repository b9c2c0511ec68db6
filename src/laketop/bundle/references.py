"""`${...}` references: their grammar, and a resolver of any depth that names cycles."""

from __future__ import annotations

import re
from collections.abc import Callable

from laketop.bundle.merging import merge
from laketop.bundle.nodes import (
    DEPTH_LIMIT,
    NODE_LIMIT,
    TEXT_LIMIT,
    Node,
    Path,
    dotted,
    mapped,
    steps,
)
from laketop.bundle.problems import Problems, near

_SEGMENT = r"[^\W\d_](?:[\w-]*[^\W_])?(?:\[\d+\])*"
REFERENCE = re.compile(rf"\$\{{({_SEGMENT}(?:\.{_SEGMENT})*)\}}")
"""One innermost reference; group 1 is its path."""

_KNOWN_ROOTS = ("artifacts", "bundle", "resources", "var", "variables", "workspace")
_MASK = "$\0{"


class _Waits(Exception):  # not an error: the answer to another question comes first
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class Resolver:
    """Replaces the references of a tree, looking them up in the same tree.

    Only references that begin with one of `roots` are replaced, all others stay as they are.
    A text that is one reference takes over the value with its type, at its own place.
    `later(path)` says that a path without a value is one that only a deployment knows.
    """

    def __init__(
        self,
        tree: Node,
        roots: frozenset[str],
        problems: Problems,
        *,
        later: Callable[[Path], bool] = lambda _path: False,
    ) -> None:
        self._tree = tree
        self._roots = roots
        self._problems = problems
        self._later = later
        self._known: dict[Path, Node | None] = {}

    def resolve(self, node: Node, path: Path = ()) -> Node:
        """Return `node` with every reference replaced; what cannot be stays, and is a problem."""
        made = mapped(node, self._settled, path)
        if made.size > NODE_LIMIT or made.depth > DEPTH_LIMIT:
            self._problems.error("the references lead to more values than can be held", path, node)
            return node
        return made

    def at(self, *path: str) -> Node | None:
        """Return the resolved value at a path of the tree, or None."""
        node = self._tree.get(*path)
        return None if node is None else self.resolve(node, path)

    def _settled(self, path: Path, leaf: Node) -> Node:
        while True:
            try:
                return self._substituted(leaf, path)
            except _Waits as waits:
                self._find(waits.path)

    def _find(self, first: Path) -> None:
        """Look up one reference and, before it, all that it waits for, without recursion."""
        stack = {first: None}
        while stack:
            current = next(reversed(stack))
            if current not in self._known:
                try:
                    self._known[current] = self._looked_up(current)
                except _Waits as waits:
                    if waits.path in stack:
                        self._break_cycle([*stack], waits.path)
                    else:
                        stack[waits.path] = None
                    continue
            del stack[current]

    def _break_cycle(self, stack: list[Path], again: Path) -> None:
        members = stack[stack.index(again) :]
        chain = " -> ".join(_shown(path) for path in (*members, again))
        self._problems.error(f"the references form a cycle: {chain}", again, self._tree.get(*again))
        self._known.update(dict.fromkeys(members))

    def _looked_up(self, path: Path) -> Node | None:
        node = self._tree
        for index, step in enumerate(path):
            if node.kind == "string":  # a reference on the way: look behind it
                node = self._substituted(node, path[:index])
            below = node.child(step)
            if below is None:
                return None
            node = below
        made = mapped(node, lambda at, leaf: self._substituted(leaf, at), path)
        if made.size > NODE_LIMIT or made.depth > DEPTH_LIMIT:
            self._problems.error("the references lead to more values than can be held", path, node)
            return None
        return made

    def _substituted(self, leaf: Node, at: Path) -> Node:
        if "${" not in leaf.text:
            return leaf
        text = leaf.text
        while True:
            whole = REFERENCE.fullmatch(text)
            if whole:
                value = self._value(whole[1], leaf, at)
                return leaf if value is None else self._placed(value, leaf, at)
            changed = self._replaced(text, leaf, at)
            if changed is None:
                self._problems.error("the references make too long a text", at, leaf)
                return leaf
            if changed == text:
                return Node(text.replace(_MASK, "${"), leaf.place, leaf.beneath)
            text = changed

    def _replaced(self, text: str, leaf: Node, at: Path) -> str | None:
        """Return a text with its innermost references replaced, or None if it gets too long.

        What was put in is masked, so that only the text itself makes new references.
        """
        parts: list[str] = []
        length = end = 0
        for match in REFERENCE.finditer(text):
            value = self._inserted(match, leaf, at).replace("${", _MASK)
            parts += (text[end : match.start()], value)
            length += match.start() - end + len(value)
            end = match.end()
            if length > TEXT_LIMIT:
                return None
        return "".join((*parts, text[end:]))

    def _placed(self, value: Node, leaf: Node, at: Path) -> Node:
        made = Node(value.value, leaf.place)
        if leaf.beneath is not None:
            return merge(self._substituted_tree(leaf.beneath, at), made, self._problems, at)
        return made

    def _substituted_tree(self, node: Node, at: Path) -> Node:
        return mapped(node, lambda path, leaf: self._substituted(leaf, path), at)

    def _inserted(self, match: re.Match[str], leaf: Node, at: Path) -> str:
        value = self._value(match[1], leaf, at)
        if value is None:
            return match[0]
        if value.kind in {"map", "sequence"}:
            message = f"{match[0]!r} is a {value.kind}, which cannot stand inside a text"
            self._problems.error(message, at, leaf)
            return match[0]
        return text_of(value)

    def _value(self, reference: str, leaf: Node, at: Path) -> Node | None:
        """Return the value of a reference, or None if it stays literal."""
        path = steps(reference)
        root = str(path[0])
        if root not in self._roots:
            self._doubt(reference, root, leaf, at)
            return None
        path = _canonical(path)
        if path not in self._known:
            raise _Waits(path)
        value = self._known[path]
        if value is None and self._tree.get(*path) is None and not self._later(path):
            self._problems.error(
                f"reference does not exist: ${{{reference}}}", at, leaf, self._hint(path)
            )
        return value

    def _doubt(self, reference: str, root: str, leaf: Node, at: Path) -> None:
        hint = near(root, _KNOWN_ROOTS) if "." in reference and root not in _KNOWN_ROOTS else None
        if hint is not None:
            message = f"{root!r} is nothing that can be referred to, so ${{{reference}}} stays text"
            self._problems.warning(message, at, leaf, hint)

    def _hint(self, path: Path) -> str | None:
        node = self._tree
        for step in path:
            below = node.child(step)
            if below is None:
                return near(str(step), node.entries)
            node = below
        return None


def _shown(path: Path) -> str:
    if path[0] == "variables" and path[2:3] == ("value",):
        return dotted(("var", path[1], *path[3:]))
    return dotted(path)


def _canonical(path: Path) -> Path:
    if path[0] == "var" and len(path) > 1:
        return ("variables", path[1], "value", *path[2:])
    return path


def text_of(node: Node) -> str:
    """Return a scalar as it reads inside a text: `true`, `3`, `0.5`, nothing for null."""
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node.value, float) and node.value.is_integer():
        return str(int(node.value)) if abs(node.value) < 1e15 else repr(node.value)
    return "" if node.value is None else str(node.value)


def references_in(text: str) -> tuple[Path, ...]:
    """Return the paths of all references in a text.

    >>> references_in("${resources.schemas.lake.name} and ${var.x}")
    (('resources', 'schemas', 'lake', 'name'), ('variables', 'x', 'value'))
    """
    return tuple(_canonical(steps(match[1])) for match in REFERENCE.finditer(text))

"""Two trees -> one: maps merge deeply, sequences append, and the upper scalar wins."""

from __future__ import annotations

import re
from collections.abc import Callable

from laketop.bundle.nodes import Node, Path
from laketop.bundle.problems import Problems

_REFERENCE = re.compile(r"\$\{[^{}]*(\$\{[^{}]*\}[^{}]*)*\}")


def merge(under: Node, over: Node, problems: Problems, path: Path = ()) -> Node:
    """Return `under` with `over` laid on it.

    Null leaves what is there. A map over a text loses the text with a warning, a sequence over a
    text is an error, and a reference over a map waits until it is known (`Node.beneath`).
    """
    if over.value is None or under.value is None:
        return under if over.value is None else over
    kinds = (under.kind, over.kind)
    if kinds == ("map", "map"):
        return under.holding(_entries(under, over, problems, path))
    if kinds == ("sequence", "sequence"):
        return under.holding((*under.elements, *over.elements))
    if kinds == ("map", "string") and _REFERENCE.fullmatch(over.text):
        return Node(over.value, over.place, beneath=under, key_at=over.key_at)
    if kinds[1] in {"map", "sequence"} and kinds[0] == "string":
        _mismatch(under, over, problems, path)
        return over
    if "map" in kinds or "sequence" in kinds:
        problems.error(f"cannot merge a {kinds[0]} with a {kinds[1]}", path, over)
        return under
    return over


def _entries(under: Node, over: Node, problems: Problems, path: Path) -> dict[str, Node]:
    entries = dict(under.entries)
    for key, node in over.entries.items():
        below = entries.get(key)
        entries[key] = node if below is None else merge(below, node, problems, (*path, key))
    return entries


def _mismatch(under: Node, over: Node, problems: Problems, path: Path) -> None:
    if over.kind == "sequence":
        problems.error(
            "cannot merge string with sequence", path, over, f"the string is at {under.place}"
        )
    else:
        problems.warning(f"the map replaces the string {under.text!r}", path, over)


def merged_by(
    key: str, sequence: Node, problems: Problems, path: Path = (), *, default: str = ""
) -> Node:
    """Return a sequence whose maps of one `key` are merged into the first of them, in order.

    Elements without the key have the `default`; where there is none they stay as they are.
    """
    return _grouped(sequence, lambda element: element.text_at(key) or default, problems, path)


def _grouped(
    sequence: Node, name_of: Callable[[Node], str], problems: Problems, path: Path
) -> Node:
    made: list[Node] = []
    places: dict[str, int] = {}
    for element in sequence.elements:
        name = name_of(element)
        if name and name in places:
            index = places[name]
            made[index] = merge(made[index], element, problems, (*path, index))
        else:
            if name:
                places[name] = len(made)
            made.append(element)
    return sequence.holding(tuple(made))

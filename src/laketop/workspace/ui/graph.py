"""Draws tasks that depend on one another: layers from left to right, states in their colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from laketop.workspace.ui.html import Html, el

_WIDTH, _HEIGHT = 176, 46
_GAP_X, _GAP_Y = 40, 14
_EDGE = 10
_LONGEST_NAME, _LONGEST_NOTE = 21, 26


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """One task: its key, what it waits for, the class of its colour, a note, where it leads.

    `name` is shown where it is not the key.
    """

    key: str
    parents: Sequence[str] = ()
    tone: str = "idle"
    note: str = ""
    href: str | None = None
    name: str = ""


def graph(nodes: Sequence[Node], *, what: str = "tasks") -> Html:
    """Return the drawing of nodes as SVG; `what` they are is said to who cannot see it.

    Parents that are not among the nodes are left out, and so is what closes a circle.
    """
    layers = layered({node.key: node.parents for node in nodes})
    by_key = {node.key: node for node in nodes}
    tallest = max((len(layer) for layer in layers), default=0)
    places = _places(layers, tallest)
    width = len(layers) * (_WIDTH + _GAP_X) - _GAP_X + 2 * _EDGE
    height = tallest * (_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _EDGE
    edges = [
        _edge(places[parent], places[node.key], by_key[parent].tone)
        for node in nodes
        for parent in dict.fromkeys(node.parents)
        if parent in places and places[parent][0] < places[node.key][0]
    ]
    boxes = [_box(by_key[key], place) for key, place in places.items()]
    svg = el(
        *("svg", edges, boxes),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="group",
        aria_label=f"{len(nodes)} {what}",
        class_="graph",
    )
    return el("div", svg, class_="scroll drawn")


def layered(parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the keys in layers, each key in the one after the last of its parents.

    Within a layer a key stands near the middle of its parents; the rest keeps its order.
    """
    known = {key: [p for p in above if p in parents and p != key] for key, above in parents.items()}
    depth: dict[str, int] = {}
    left = dict(known)
    while left:
        ready = [key for key, above in left.items() if all(p in depth for p in above)]
        for key in ready or list(left)[:1]:  # a circle is cut where it comes first
            depth[key] = 1 + max((depth[p] for p in left.pop(key) if p in depth), default=-1)
    layers: list[list[str]] = []
    row: dict[str, float] = {}
    for level in range(1 + max(depth.values(), default=-1)):
        members = [key for key in known if depth[key] == level]
        above = {key: [row[p] for p in known[key] if p in row] for key in members}
        middle = {key: sum(rows) / len(rows) for key, rows in above.items() if rows}
        layers.append(sorted(members, key=_value_of(middle)))
        row |= {key: number - (len(members) - 1) / 2 for number, key in enumerate(layers[-1])}
    return layers


def _value_of(middle: Mapping[str, float]) -> Callable[[str], float]:
    return lambda key: middle.get(key, 0.0)


def _places(layers: Sequence[Sequence[str]], tallest: int) -> dict[str, tuple[float, float]]:
    places: dict[str, tuple[float, float]] = {}
    for level, layer in enumerate(layers):
        above = (tallest - len(layer)) * (_HEIGHT + _GAP_Y) / 2
        for number, key in enumerate(layer):
            x = _EDGE + level * (_WIDTH + _GAP_X)
            places[key] = (x, _EDGE + above + number * (_HEIGHT + _GAP_Y))
    return places


def _edge(source: tuple[float, float], target: tuple[float, float], tone: str) -> Html:
    x1, y1 = source[0] + _WIDTH, source[1] + _HEIGHT / 2
    x2, y2 = target[0], target[1] + _HEIGHT / 2
    bend = x1 + _GAP_X / 2 if x2 - x1 <= _GAP_X else x2 - _GAP_X / 2
    near = x1 + _GAP_X / 2
    curve = f"M{x1:g} {y1:g} C{near:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
    return el("path", d=curve, class_=f"edge {tone}")


def _box(node: Node, place: tuple[float, float]) -> Html:
    x, y = place
    name = _cut(node.name or node.key, _LONGEST_NAME)
    drawn = [
        el("title", f"{node.key}: {node.note}" if node.note else node.key),
        el("rect", x=f"{x:g}", y=f"{y:g}", width=_WIDTH, height=_HEIGHT, rx=7),
        el("circle", cx=f"{x + 15:g}", cy=f"{y + _HEIGHT / 2:g}", r=5),
        el("text", name, x=f"{x + 28:g}", y=f"{y + 20:g}", class_="name"),
        el("text", _cut(node.note, _LONGEST_NOTE), x=f"{x + 28:g}", y=f"{y + 35:g}", class_="note"),
    ]
    tag = "a" if node.href else "g"
    return el(tag, drawn, href=node.href, class_=f"node {node.tone}")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"

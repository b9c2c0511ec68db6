"""Brings a tree into the types of the table of fields; what does not fit is told and dropped."""

from __future__ import annotations

from collections.abc import Mapping

from laketop.bundle.fields import Field, Table, table
from laketop.bundle.nodes import Node, Path
from laketop.bundle.problems import Problems, near
from laketop.bundle.references import text_of

_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "n", "N", "off", "Off", "OFF"})
_ARTICLE = {"int": "an int", "str": "a string"}
_FEW = 16
"""So many fields are told whole where none is like an unknown one."""


def shaped(
    node: Node, type_: str, problems: Problems, path: Path = (), *, whole: bool = True
) -> Node:
    """Return `node` as `type_` wants it: unknown keys dropped, `"2"` -> 2, `false` -> `"false"`.

    `whole` asks for the required fields as well; a target's overrides are parts. References that
    are still open fit every type.
    """
    made = _Shaper(table(), problems, whole).fit(node, type_, path)
    return Node({}, node.place) if made is None else made


class _Shaper:
    def __init__(self, known: Table, problems: Problems, whole: bool) -> None:
        self.known = known
        self.problems = problems
        self.whole = whole

    def fit(self, node: Node, type_: str, path: Path) -> Node | None:
        if type_ == "any" or "${" in node.text or node.text.startswith("{{"):
            return node
        if node.value is None:
            if type_ == "str":
                self.problems.warning("expected a string value, found null", path, node)
            return None
        if type_.startswith("["):
            return self.sequence(node, type_[1:-1], path)
        if type_.startswith("{"):
            return self.map(node, type_[1:-1], path)
        if type_ in self.known.blocks:
            return self.block(node, type_, path)
        if type_ in self.known.values:
            return self.choice(node, type_, path)
        return self.scalar(node, type_, path)

    def sequence(self, node: Node, of: str, path: Path) -> Node | None:
        if node.kind != "sequence":
            return self.dropped(node, "a sequence", path)
        fitted = (self.fit(item, of, (*path, i)) for i, item in enumerate(node.elements))
        return Node(tuple(item for item in fitted if item is not None), node.place)

    def map(self, node: Node, of: str, path: Path) -> Node | None:
        if node.kind != "map":
            return self.dropped(node, "a map", path)
        fitted = {key: self.fit(item, of, (*path, key)) for key, item in node.entries.items()}
        return Node({key: item for key, item in fitted.items() if item is not None}, node.place)

    def block(self, node: Node, name: str, path: Path) -> Node | None:
        if node.kind != "map":
            return self.dropped(node, "a map", path)
        fields = self.known.blocks[name]
        made: dict[str, Node] = {}
        for key, item in node.entries.items():
            if key not in fields:
                self.unknown(key, item, fields, path)
                continue
            fitted = self.fit(item, fields[key].type, (*path, key))
            empty = fitted is not None and fitted.value == "" and not fields[key].required
            if fitted is not None and not empty:
                made[key] = fitted
        if self.whole:
            for key, field in fields.items():
                if field.required and key not in made:
                    self.problems.warning(f'required field "{key}" is not set', path, node)
        return Node(made, node.place)

    def unknown(self, key: str, item: Node, fields: Mapping[str, Field], path: Path) -> None:
        if not path and _only_anchors(item):
            return
        few = f"it can be {', '.join(sorted(fields))}" if len(fields) <= _FEW else None
        self.problems.warning(
            f"unknown field: {key}", (*path, key), item.key_place, near(key, fields) or few
        )

    def choice(self, node: Node, name: str, path: Path) -> Node | None:
        text = self.scalar(node, "str", path)
        values = self.known.values[name]
        if text is not None and text.text not in values:
            listed = ", ".join(values)
            message = f"invalid value {text.text!r} for enum field; valid values are {listed}"
            self.problems.warning(message, path, node, near(text.text, values))
        return text

    def scalar(self, node: Node, type_: str, path: Path) -> Node | None:
        if node.kind in {"map", "sequence"}:
            return self.dropped(node, _ARTICLE.get(type_, f"a {type_}"), path)
        value = node.value
        converted: str | int | float | bool | None = None
        if type_ == "str":
            converted = text_of(node)
        elif type_ == "bool":
            converted = _truth(value)
        elif not isinstance(value, bool):
            converted = _number(value, type_)
        if converted is None:
            return self.dropped(node, _ARTICLE.get(type_, f"a {type_}"), path)
        return node if converted is value else Node(converted, node.place)

    def dropped(self, node: Node, wanted: str, path: Path) -> Node | None:
        shown = f" {node.text!r}" if node.kind == "string" else ""
        self.problems.warning(f"expected {wanted}, found {node.kind}{shown}", path, node)
        return None


def _only_anchors(node: Node) -> bool:
    values = node.entries.values() or node.elements
    return node.anchored or (bool(values) and all(value.anchored for value in values))


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return True if value in _TRUE else False if value in _FALSE else None


def _number(value: object, type_: str) -> int | float | None:
    try:
        number = float(value) if isinstance(value, (str, int, float)) else None
    except ValueError:
        return None
    if number is None or type_ == "float":
        return number
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return int(value) if value.strip().lstrip("+-").isdecimal() else None
    return int(number) if number.is_integer() else None

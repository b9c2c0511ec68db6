"""YAML text -> nodes: the places of all values, anchors, merges, and nothing executable."""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Mapping

import yaml

from laketop.bundle.nodes import DEPTH_LIMIT, NODE_LIMIT, TEXT_LIMIT, Node, Place, Scalar
from laketop.errors import ConfigError

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_CORE = "tag:yaml.org,2002:"
_TAGS = {"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value", "merge"}
_LONGEST_NUMBER = 100


def read_file(path: pathlib.Path, name: str) -> Node:
    """Return the first document of a YAML or JSON file; an empty file is an empty map.

    Errors: ConfigError with file and line for a file over 1 MB, text that is not YAML, tags other
    than the core ones, keys that are not text, and trees over 100,000 values.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise ConfigError(message, file=name) from error
    if len(data) > TEXT_LIMIT:
        message = f"the file has {len(data)} bytes, the limit is {TEXT_LIMIT}"
        raise ConfigError(message, file=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte {error.start} is not UTF-8"
        raise ConfigError(message, file=name, line=line) from error
    return read_text(text, name)


def read_text(text: str, name: str) -> Node:
    """Return the nodes of YAML text; `name` is the file that messages and places tell."""
    try:
        return _first_document(text, name)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, name) from error
    except yaml.YAMLError as error:
        message = f"the file is not YAML: {' '.join(str(error).split())}"
        raise ConfigError(message, file=name) from error
    except RecursionError:
        message = f"the values are nested more than {DEPTH_LIMIT} deep"
        raise ConfigError(message, file=name) from None


class _Loader(yaml.SafeLoader):
    """Composes nodes and remembers which of them have an anchor."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.anchored: set[int] = set()

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.anchored.add(id(node))
        return node


def _first_document(text: str, name: str) -> Node:
    loader = _Loader(text)
    try:
        document = loader.get_node() if loader.check_node() else None
        if document is None:
            return Node({}, Place(name, 1, 1))
        return _Reader(name, loader.anchored).node(document)
    finally:
        loader.dispose()


def _not_yaml(error: yaml.MarkedYAMLError, name: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it cannot be parsed"
    hint = "indent with spaces; YAML allows no tabs there" if r"'\t'" in problem else None
    line = None if mark is None else mark.line + 1
    return ConfigError(f"the file is not YAML: {problem}", file=name, line=line, hint=hint)


class _Reader:
    """Turns the composed nodes of one file into ours."""

    def __init__(self, name: str, anchored: set[int]) -> None:
        self.anchored = anchored
        self.name = name
        self.resolver = yaml.resolver.Resolver()
        self.done: dict[int, Node] = {}
        self.open: set[int] = set()

    def node(self, source: yaml.Node) -> Node:
        key = id(source)
        if key in self.done:
            return self.done[key]
        if key in self.open:
            raise self.wrong(source, "an anchor holds itself")
        self.open.add(key)
        if source.tag.removeprefix(_CORE) not in _TAGS:
            raise self.wrong(source, f"the tag {source.tag!r} is not one of YAML's own")
        made = Node(self.value(source), self.place(source), anchored=key in self.anchored)
        self.open.discard(key)
        if made.size > NODE_LIMIT:
            raise self.wrong(source, f"the file has more than {NODE_LIMIT} values")
        if made.depth > DEPTH_LIMIT:
            raise self.wrong(source, f"the values are nested more than {DEPTH_LIMIT} deep")
        self.done[key] = made
        return made

    def value(self, source: yaml.Node) -> Mapping[str, Node] | tuple[Node, ...] | Scalar:
        if isinstance(source, yaml.MappingNode):
            return self.entries(source)
        if isinstance(source, yaml.SequenceNode):
            return tuple(self.node(item) for item in source.value)
        if isinstance(source, yaml.ScalarNode):
            return self.scalar(source)
        raise self.wrong(source, f"the tag {source.tag!r} is not one of YAML's own")

    def entries(self, source: yaml.MappingNode) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        merges = 0
        for key, value in source.value:
            if _is_merge(key):
                merges += 1
                if merges > 1:
                    raise self.wrong(key, "one map has two '<<' keys")
                merged = self.merged(value)
            else:
                own[self.key(key)] = self.node(value)
        return {**merged, **own}

    def merged(self, source: yaml.Node) -> dict[str, Node]:
        made = self.node(source)
        maps = made.elements if made.kind == "sequence" else (made,)
        entries: dict[str, Node] = {}
        for one in reversed(maps):
            if one.kind != "map":
                raise self.wrong(source, f"'<<' takes a map or a list of maps, not a {one.kind}")
            entries.update(one.entries)
        return entries

    def key(self, source: yaml.Node) -> str:
        made = self.node(source)
        if not isinstance(made.value, str):
            shown = source.value if isinstance(source.value, str) else made.kind
            message = f"the key {shown!r} is not text"
            raise self.wrong(source, message, hint="put it in quotes")
        return made.value

    def scalar(self, source: yaml.ScalarNode) -> Scalar:
        text: str = source.value
        if source.tag != f"{_CORE}str":
            return _plain_scalar(text)
        if source.style is not None or self.implied(text) != source.tag:
            return text  # in quotes, a block, or with `!!str`: text, whatever it looks like
        return _plain_scalar(text)

    def implied(self, text: str) -> str:
        kind = yaml.ScalarNode
        tag: str = self.resolver.resolve(kind, text, (True, False))  # type: ignore[no-untyped-call]  # the stubs leave it out
        return tag

    def place(self, source: yaml.Node) -> Place:
        mark = source.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def wrong(self, source: yaml.Node, message: str, *, hint: str | None = None) -> ConfigError:
        return ConfigError(message, file=self.name, line=source.start_mark.line + 1, hint=hint)


def _is_merge(key: yaml.Node) -> bool:
    return key.value == "<<" and getattr(key, "style", "") is None


def _plain_scalar(text: str) -> Scalar:
    """Return an unquoted scalar by YAML 1.2: `yes`, `on`, `22:30` and dates stay text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) < _LONGEST_NUMBER and _INT.fullmatch(text):
        return _whole(text.replace("_", ""))
    if len(text) < _LONGEST_NUMBER and _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if math.isfinite(number) else text
    return text


def _whole(text: str) -> int:
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567"
    return int(text, 8 if octal else 0)

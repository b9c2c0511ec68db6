"""YAML text -> nodes: the places of all values, anchors, merges, and nothing executable."""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from laketop.bundle.nodes import (
    DEPTH_LIMIT,
    NODE_LIMIT,
    NOWHERE,
    TEXT_LIMIT,
    Node,
    Place,
    Scalar,
)
from laketop.bundle.problems import Problems
from laketop.errors import ConfigError

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_CORE = "tag:yaml.org,2002:"
_TAGS = {"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value", "merge"}
_LONGEST_NUMBER = 100
_TABS = "indent with spaces; YAML allows no tabs there"
_LINES = "a line is `key: value`, `- item` or `# comment`; see what is left open before it"
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML has it: ten times faster, and `?` is text inside of `{}` too."""


def read_file(path: pathlib.Path, name: str, problems: Problems | None = None) -> Node:
    """Return the first document of a YAML or JSON file; an empty file is an empty map.

    Keys that stand twice in one map are warnings in `problems`: the last of them counts.
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
        hint = "save the file as UTF-8"
        raise ConfigError(message, file=name, line=line, hint=hint) from error
    return read_text(text, name, problems)


def read_text(text: str, name: str, problems: Problems | None = None) -> Node:
    """Return the nodes of YAML text; `name` is the file that messages and places tell."""
    try:
        return _Composer(text, name, problems or Problems()).document()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, text, name) from error
    except yaml.YAMLError as error:
        message = f"the file is not YAML: {' '.join(str(error).split())}"
        raise ConfigError(message, file=name) from error


def _not_yaml(error: yaml.MarkedYAMLError, text: str, name: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it cannot be parsed"
    lines = text.splitlines() or [""]
    line = len(lines) if mark is None else min(mark.line + 1, len(lines))
    shown = lines[line - 1]
    margin = shown[: len(shown) - len(shown.lstrip())]
    hint = _TABS if "\t" in margin else _LINES
    column = None if mark is None or mark.line + 1 > len(lines) else mark.column + 1
    message = f"the file is not YAML: {problem}"
    return ConfigError(message, file=name, line=line, column=column, hint=hint)


class _Composer:
    """Makes the nodes of one file out of the parser's events, anchors and merges included."""

    def __init__(self, text: str, name: str, problems: Problems) -> None:
        self.name = name
        self.problems = problems
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self.anchors: dict[str, Node | None] = {}

    def document(self) -> Node:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self.node(next(self.events), 1)
        return Node({}, Place(self.name, 1, 1))

    def node(self, event: yaml.Event, depth: int, key_at: tuple[int, int] | None = None) -> Node:
        if depth > DEPTH_LIMIT:
            raise self.wrong(event, f"the values are nested more than {DEPTH_LIMIT} deep")
        if isinstance(event, yaml.AliasEvent):
            aliased = self.aliased(event)
            return aliased if key_at is None else aliased.under(key_at)
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self.anchors[anchor] = None
        place = self.place(event)
        value = self.value(event, depth)
        made = Node(value, place, anchored=anchor is not None, key_at=key_at)
        if made.size > NODE_LIMIT:
            raise self.wrong(event, f"the file has more than {NODE_LIMIT} values")
        if anchor is not None:
            self.anchors[anchor] = made
        return made

    def aliased(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            raise self.wrong(event, f"no anchor {event.anchor!r} comes before its alias")
        made = self.anchors[event.anchor]
        if made is None:
            raise self.wrong(event, f"the anchor {event.anchor!r} holds itself")
        if made.depth > DEPTH_LIMIT:
            raise self.wrong(event, f"the values are nested more than {DEPTH_LIMIT} deep")
        return made

    def value(
        self, event: yaml.Event, depth: int
    ) -> Mapping[str, Node] | tuple[Node, ...] | Scalar:
        tag: str | None = getattr(event, "tag", None)
        if tag is not None and tag.removeprefix(_CORE) not in _TAGS:
            raise self.wrong(event, f"the tag {tag!r} is not one of YAML's own")
        if isinstance(event, yaml.ScalarEvent):
            plain, quoted = event.implicit
            as_text = quoted if tag is None else tag == f"{_CORE}str"
            return event.value if as_text and not plain else _plain_scalar(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return tuple(self.elements(depth))
        return self.entries(depth)

    def elements(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, depth + 1)

    def entries(self, depth: int) -> dict[str, Node]:
        merged: dict[str, Node] | None = None
        own: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if _is_merge(event):
                if merged is not None:
                    raise self.wrong(event, "one map has two '<<' keys")
                merged = self.merged(next(self.events), depth)
            else:
                key = self.key(event)
                if key in own:
                    message = f"the key {key!r} stands twice, the last one counts"
                    hint = f"the first is at {own[key].key_place}"
                    self.problems.warning(message, (), self.place(event), hint)
                mark = event.start_mark
                at = (mark.line + 1, mark.column + 1) if mark else None
                own[key] = self.node(next(self.events), depth + 1, at)
        return {**(merged or {}), **own}

    def merged(self, event: yaml.Event, depth: int) -> dict[str, Node]:
        made = self.node(event, depth + 1)
        maps = made.elements if made.kind == "sequence" else (made,)
        entries: dict[str, Node] = {}
        for one in reversed(maps):
            if one.kind != "map":
                raise self.wrong(event, f"'<<' takes a map or a list of maps, not a {one.kind}")
            entries.update(one.entries)
        return entries

    def key(self, event: yaml.Event) -> str:
        made = self.node(event, 1)
        if not isinstance(made.value, str):
            shown = getattr(event, "value", made.kind)
            raise self.wrong(event, f"the key {shown!r} is not text", hint="put it in quotes")
        return made.value

    def wrong(self, event: yaml.Event, message: str, *, hint: str | None = None) -> ConfigError:
        place = self.place(event)
        return ConfigError(message, file=self.name, line=place.line, column=place.column, hint=hint)

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1) if mark else NOWHERE


def _is_merge(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]


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

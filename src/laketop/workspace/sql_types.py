"""Types of SQL as people write them, and the JSON in which Spark keeps them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue

_WORD = re.compile(
    r"(?P<space>(?:\s|--[^\n]*|/\*.*?\*/)+)"
    r"|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<name>`(?:[^`]|``)*`)"
    r"|(?P<word>\w+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_MEANT = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\0": "\0", r"\b": "\b"}
_SIMPLE = {
    **dict.fromkeys(("boolean", "binary", "date", "float", "double", "string", "variant")),
    **dict.fromkeys(("timestamp", "timestamp_ntz", "void")),
    "real": "float",
    "tinyint": "byte",
    "smallint": "short",
    "int": "integer",
    "integer": "integer",
    "bigint": "long",
    "byte": "byte",
    "short": "short",
    "long": "long",
    "timestamp_ltz": "timestamp",
}
"""The simple types, and those that Spark calls otherwise."""
_DECIMAL = ("decimal", "dec", "numeric")
_INTERVALS = (("year", "month"), ("day", "hour", "minute", "second"))
_UNITS = _INTERVALS[0] + _INTERVALS[1]
_MOST_DIGITS = 38
_LONGEST = 2**31 - 1
_DEEPEST = 50


@dataclasses.dataclass(frozen=True)
class Word:
    """A word, mark, name or quoted text of SQL, and where it begins and ends."""

    text: str
    kind: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """What a name or a text says without its quotes."""
        if self.kind not in {"name", "text"}:
            return self.text
        inside = self.text[1:-1]
        if self.kind == "name":
            return inside.replace("``", "`")
        quote = self.text[0]  # written twice it is itself
        parts = re.split(rf"(\\.|{quote}{quote})", inside, flags=re.DOTALL)
        parts[1::2] = [_MEANT.get(part, part[1:]) for part in parts[1::2]]
        return "".join(parts)


class Words:
    """The words of a text of SQL, read from the first to the last."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = (
            Word(match[0], str(match.lastgroup), *match.span()) for match in _WORD.finditer(text)
        )
        self._words: Sequence[Word] = [word for word in found if word.kind != "space"]
        self._at = 0

    def peek(self) -> Word | None:
        """Return the next word, None at the end."""
        return self._words[self._at] if self._at < len(self._words) else None

    def next(self) -> Word:
        """Return the next word and pass it. Errors: InvalidParameterValue at the end."""
        word = self.peek()
        if word is None:
            raise InvalidParameterValue(f"{self.text[:200]!r} ends too early.")
        self._at += 1
        return word

    def passed(self) -> Word:
        """Return the word that was passed last."""
        return self._words[self._at - 1]

    def take(self, *wanted: str) -> bool:
        """Pass the words if they are the next ones, whatever their case, and tell whether."""
        upcoming = self._words[self._at : self._at + len(wanted)]
        if [word.text.lower() for word in upcoming] != [word.lower() for word in wanted]:
            return False
        self._at += len(wanted)
        return True

    def expect(self, wanted: str) -> None:
        """Pass a word. Errors: InvalidParameterValue if the next one is another."""
        if not self.take(wanted):
            word = self.peek()
            there = "the end" if word is None else repr(word.text)
            raise InvalidParameterValue(
                f"{self.text[:200]!r} has {there} in the place of {wanted!r}."
            )


def parsed_type(text: str) -> Any:
    """Return a type as Spark writes it in JSON.

    Errors: InvalidParameterValue for what is no type.

    >>> parsed_type("array<DECIMAL(5, 2)>")
    {'type': 'array', 'elementType': 'decimal(5,2)', 'containsNull': True}
    """
    words = Words(text)
    found = read_type(words)
    if words.peek() is not None:
        raise InvalidParameterValue(f"{text[:200]!r} is not a type of SQL.")
    return found


def read_type(words: Words, depth: int = 0) -> Any:
    """Return the type that begins at the next word, and pass it. Errors: as `parsed_type`."""
    name = words.next().text.lower()
    if depth > _DEEPEST:
        raise InvalidParameterValue("A type is nested too deep.")
    if name in {"array", "map", "struct"}:
        return _nested(words, name, depth + 1)
    if name in _DECIMAL:
        precision, scale = _numbers(words, 10, 0)
        if not scale <= precision <= _MOST_DIGITS:
            raise InvalidParameterValue(
                f"decimal({precision},{scale}) is no type: it has at most {_MOST_DIGITS} digits,"
                " of which no more are behind the point."
            )
        return f"decimal({precision},{scale})"
    if name in {"char", "character", "varchar"}:
        (length,) = _numbers(words, None)
        return f"{'varchar' if name == 'varchar' else 'char'}({length})"
    if name == "interval":
        return _interval(words)
    if name not in _SIMPLE:
        raise InvalidParameterValue(f"{name[:100]!r} is not a type of SQL.")
    if name == "string" and words.take("collate"):
        words.next()
    return _SIMPLE[name] or name


def _nested(words: Words, name: str, depth: int) -> Any:
    if name == "struct" and words.take("<", ">"):
        return {"type": "struct", "fields": []}
    words.expect("<")
    if name == "array":
        element = read_type(words, depth)
        found: Any = {"type": "array", "elementType": element, "containsNull": True}
    elif name == "map":
        key = read_type(words, depth)
        words.expect(",")
        value = read_type(words, depth)
        found = {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    else:
        fields = [_field(words, depth)]
        while words.take(","):
            fields.append(_field(words, depth))
        found = {"type": "struct", "fields": fields}
    words.expect(">")
    return found


def _field(words: Words, depth: int) -> dict[str, Any]:
    name = words.next().value
    words.take(":")
    type_ = read_type(words, depth)
    nullable = not words.take("not", "null")
    metadata = {"comment": words.next().value} if words.take("comment") else {}
    return {"name": name, "type": type_, "nullable": nullable, "metadata": metadata}


def _numbers(words: Words, *otherwise: int | None) -> list[int]:
    if not words.take("("):
        if None in otherwise:
            words.expect("(")
        return [number for number in otherwise if number is not None]
    found = [_number(words)]
    while words.take(","):
        found.append(_number(words))
    words.expect(")")
    return [*found, *(number for number in otherwise[len(found) :] if number is not None)][
        : len(otherwise)
    ]


def _number(words: Words) -> int:
    text = words.next().text
    if not text.isdecimal() or len(text) > len(str(_LONGEST)) or int(text) > _LONGEST:
        raise InvalidParameterValue(f"{text[:100]!r} is no length of a type.")
    return int(text)


def _interval(words: Words) -> str:
    first = words.peek()
    if first is None or first.text.lower() not in _UNITS:
        return "interval"
    unit = words.next().text.lower()
    if not words.take("to"):
        return f"interval {unit}"
    until = words.next().text.lower()
    if until not in _UNITS:
        raise InvalidParameterValue(f"{until[:100]!r} is no unit of an interval.")
    if not any(unit in units and until in units[units.index(unit) + 1 :] for units in _INTERVALS):
        raise InvalidParameterValue(f"No interval goes from {unit} to {until}.")
    return f"interval {unit} to {until}"

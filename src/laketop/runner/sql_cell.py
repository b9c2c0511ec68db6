"""The text of an SQL cell: its statements, and the widgets that they read."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOKENS = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<quoted>[rR]?'(?:\\.|[^'\\])*'|[rR]?"(?:\\.|[^"\\])*"|`[^`]*`)
    |(?P<body>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<end>;)
    |(?P<marker>(?<![\w:\)\]`'"]):[A-Za-z_]\w*)
    |(?P<code>[A-Za-z_]\w*|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OLD_PARAMETER = re.compile(r"\$\{(?P<braced>[\w.-]+)\}|\$(?P<plain>[A-Za-z_]\w*)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, and the values of the `:name` markers in it."""

    text: str
    arguments: Mapping[str, str]


def parts(source: str) -> list[tuple[str, str]]:
    """Return the statements of a cell as they were written, each with and without its comments.

    >>> parts("select 1 /* one */; select 2")[0]
    ('select 1 /* one */', 'select 1 ')
    """
    return [
        (
            "".join(value for _, value in tokens),
            "".join(value for kind, value in tokens if kind != "comment"),
        )
        for tokens in _split(source)
    ]


def statements(source: str, widgets: Mapping[str, str]) -> list[Statement]:
    """Return the statements of a cell; a BEGIN .. END script is one.

    `:name` becomes an argument where a widget has that name; `$name` and `${name}` of widgets
    are replaced as text, other `$` is left to Spark.

    >>> statements("select :day; select 2", {"day": "2013-01-01"})
    ... # doctest: +NORMALIZE_WHITESPACE
    [Statement(text='select :day', arguments={'day': '2013-01-01'}),
     Statement(text='select 2', arguments={})]
    """
    found = []
    for tokens in _split(_replace_old(source, widgets)):
        text = "".join(value for _, value in tokens).strip()
        if any(kind != "comment" and value.strip() for kind, value in tokens):
            names = {value[1:] for kind, value in tokens if kind == "marker"}
            arguments = {name: widgets[name] for name in sorted(names) if name in widgets}
            found.append(Statement(text=text, arguments=arguments))
    return found


def _replace_old(source: str, widgets: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return widgets.get(match["braced"] or match["plain"], match[0])

    return _OLD_PARAMETER.sub(value, source)


def _split(source: str) -> Iterator[list[tuple[str, str]]]:
    tokens: list[tuple[str, str]] = []
    script = False
    for match in _TOKENS.finditer(source):
        kind, value = match.lastgroup or "code", match[0]
        if kind == "end" and not script:
            yield tokens
            tokens = []
            continue
        first = not any(other != "comment" and text.strip() for other, text in tokens)
        script = script or (first and value.upper() == "BEGIN")
        tokens.append((kind, value))
    yield tokens

"""The tables that SQL statements read and write, as far as words tell."""

from __future__ import annotations

import re

_PART = r"(?:`[^`]+`|\{[^{}]*\}|\$\{[^{}]*\}|[A-Za-z_][\w{}]*+)"
_NAME = rf"({_PART}(?:\.{_PART})++)"
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'")
_READ = re.compile(rf"\b(?:FROM|JOIN)\s+{_NAME}(?!\s*\(|\.`)", re.IGNORECASE)
_KIND = r"(?:TABLE|VIEW|MATERIALIZED\s+VIEW|STREAMING\s+TABLE|EXTERNAL\s+TABLE)"
_WRITE = re.compile(
    rf"\b(?:CREATE\s+(?:OR\s+(?:REPLACE|REFRESH)\s+)?{_KIND}\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"|INSERT\s+(?:INTO|OVERWRITE)\s+(?:TABLE\s+)?|(?:MERGE|COPY)\s+INTO\s+){_NAME}",
    re.IGNORECASE,
)
_FORMATS = frozenset({"delta", "parquet", "json", "csv", "text", "avro", "orc", "binaryfile"})


def tables_in(statements: str) -> tuple[dict[str, int], set[str]]:
    """Return the names that statements read, each with its line from 0, and those they write.

    Names of one part are left out: they may be views of a session.

    >>> tables_in("INSERT INTO a.b SELECT * FROM c.d.e JOIN delta.`/x` -- FROM f.g")
    ({'c.d.e': 0}, {'a.b'})
    """
    text = _TEXT.sub(_lines, _COMMENT.sub(_lines, statements))
    read: dict[str, int] = {}
    for found in _READ.finditer(text):
        name = _plain(found[1])
        if name.partition(".")[0].lower() not in _FORMATS:
            read.setdefault(name, text.count("\n", 0, found.start(1)))
    return read, {_plain(found[1]) for found in _WRITE.finditer(text)}


def _lines(found: re.Match[str]) -> str:
    """Return as many lines as a match has, and nothing on them."""
    return "'" + "\n" * found[0].count("\n") + "'"


def _plain(name: str) -> str:
    return name.replace("`", "")

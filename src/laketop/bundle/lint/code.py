"""What the code of a task does with names: imports, widgets, task values, tables."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from laketop.bundle.lint.sql import tables_in
from laketop.bundle.nodes import TEXT_LIMIT, Place

_MAGIC_LINE = re.compile(r"^(\s*)(?:%(?!%)|!)(.*)$")
_RUN = re.compile(r"^\s*(?:# MAGIC )?%run\s+([\"']?)([^\"'\s]+)\1", re.MULTILINE)
_PIP = re.compile(r"^\s*(?:# MAGIC )?%pip\s+install\s+(.+)$", re.MULTILINE)
_TABLE_READS = frozenset({"table", "read_table"})
_TABLE_WRITES = frozenset(
    {*("saveAsTable", "insertInto", "writeTo", "toTable", "createTable", "forName")}
    | {*("create_table", "write_table", "createOrReplace", "createIfNotExists", "tableName")}
)
_WIDGETS = frozenset({"text", "dropdown", "combobox", "multiselect"})
_OPENED = {"taskValues": "values", "widgets": "widgets"}
_DEPTH = 5
"""How many notebooks deep `%run` is followed."""


@dataclass
class Code:
    """The names in one file, and in the notebooks that it runs; places are of the first use."""

    modules: dict[str, Place] = field(default_factory=dict)
    widgets: set[str] = field(default_factory=set)
    asked: dict[str, Place] = field(default_factory=dict)
    """The widgets that are read."""
    values: set[str] = field(default_factory=set)
    """The keys of the task values that are set."""
    wanted: dict[tuple[str, str], Place] = field(default_factory=dict)
    """The task values that are read and have no default: (task, key)."""
    read: dict[str, Place] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    installs: list[str] = field(default_factory=list)
    """The arguments of `%pip install`, one text a line."""
    open: set[str] = field(default_factory=set)
    """What is named by a value that only a run knows: "values", "widgets", "written"."""

    def add_sql(self, text: str, place: Place) -> None:
        """Add the tables that a statement names."""
        read, written = tables_in(text)
        for name, line in read.items():
            at = Place(place.file, place.line + line, place.column if not line else 1)
            self.read.setdefault(name, at)
        self.written |= written


@lru_cache(maxsize=4096)
def _text(file: Path, _changed: float) -> str:
    return file.read_text(encoding="utf-8-sig")


def read_code(file: Path, root: Path) -> Code | None:
    """Return what a file does, or None if it is no Python or SQL that can be parsed."""
    code = Code()
    return code if _read(file, root, code, _DEPTH) else None


def _read(file: Path, root: Path, code: Code, depth: int) -> bool:
    try:
        if file.stat().st_size > TEXT_LIMIT:
            return False
        text = _text(file, file.stat().st_mtime)
        name = Path(os.path.relpath(file, root)).as_posix()
        if file.suffix == ".sql":
            code.add_sql(text, Place(name, 1, 1))
            return True
        if file.suffix not in {".py", ".ipynb"}:
            return False
        for start, kind, cell in _cells(text, file.suffix):
            if kind == "sql":
                code.add_sql(cell, Place(name, start, 1))
            else:
                _Reader(code, name, start).visit(ast.parse(_without_magics(cell)))
            code.installs += (found[1] for found in _PIP.finditer(cell))
            if not _runs(cell, file, root, code, depth):
                return False
    except (OSError, ValueError, SyntaxError, RecursionError):
        return False
    return True


def _runs(cell: str, file: Path, root: Path, code: Code, depth: int) -> bool:
    """Read the notebooks that a cell runs in its place; False if one cannot be found."""
    for found in _RUN.finditer(cell):
        base = file.parent / found[2]
        names = (base, *(base.with_name(base.name + end) for end in (".py", ".ipynb", ".sql")))
        other = next((name for name in names if name.is_file()), None)
        if other is None or not depth or not _read(other, root, code, depth - 1):
            return False
    return True


def _cells(text: str, suffix: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the language and the text of each part of a file."""
    if suffix == ".ipynb":
        for cell in json.loads(text).get("cells", ()):
            source = cell.get("source", "")
            whole = source if isinstance(source, str) else "".join(source)
            if cell.get("cell_type") == "code":
                yield 1, *_language(whole)
        return
    line = 1
    for part in re.split(r"(?m)^# COMMAND -+\n?", text):
        magic = re.findall(r"(?m)^# MAGIC ?(.*)$", part)
        kind, body = _language("\n".join(magic))
        if magic and kind == "sql":
            yield line, kind, body
        yield line, "python", part
        line += part.count("\n") + 1


def _language(text: str) -> tuple[str, str]:
    first, _, rest = text.lstrip().partition("\n")
    match = re.match(r"%%?(sql|md|md-sandbox|sh|r|scala|fs)\b(.*)", first)
    if not match:
        return "python", text
    return ("sql", f"{match[2]}\n{rest}") if match[1] == "sql" else ("python", "")


def _without_magics(cell: str) -> str:
    return "\n".join(_MAGIC_LINE.sub(r"\1pass", line) for line in cell.split("\n"))


class _Reader(ast.NodeVisitor):
    def __init__(self, code: Code, name: str, start: int) -> None:
        self.code = code
        self.name = name
        self.start = start
        self.called: set[int] = set()

    def place(self, node: ast.AST) -> Place:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return Place(self.name, self.start + line - 1, column + 1)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.code.modules.setdefault(alias.name.partition(".")[0], self.place(node))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not node.level and node.module:
            self.code.modules.setdefault(node.module.partition(".")[0], self.place(node))

    def visit_Try(self, node: ast.Try) -> None:
        """Leave out imports that a program copes without."""
        known = dict(self.code.modules)
        self.generic_visit(node)
        caught = " ".join(ast.unparse(h.type) for h in node.handlers if h.type is not None)
        if "ImportError" in caught or "ModuleNotFoundError" in caught:
            self.code.modules = known

    def visit_Name(self, node: ast.Name) -> None:
        """Note that something else is handed `dbutils`: it might do anything with it."""
        if node.id == "dbutils":
            self.code.open |= {"values", "widgets"}

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note that task values or widgets are called by another name."""
        if node.attr in _OPENED and id(node) not in self.called:
            self.code.open.add(_OPENED[node.attr])
        if not isinstance(node.value, ast.Name):
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            self.called.add(id(node.func.value))
        chain = _chain(node.func)
        with contextlib.suppress(IndexError):
            self.call(chain, node)
        self.generic_visit(node)

    def call(self, chain: tuple[str, ...], node: ast.Call) -> None:
        if chain[-2:-1] == ("widgets",) or chain[-1] == "getArgument":
            self.widget(chain[-1], node)
        elif chain[-2:-1] == ("taskValues",):
            self.task_value(chain[-1], node)
        elif chain[-1] == "sql" and chain[0] in {"spark", "sqlContext", "self", "sql"}:
            text = _written_out(_argument(node, 0, "sqlQuery"))
            if text is None:
                self.code.open.add("written")
            else:
                self.code.add_sql(text, self.place(node))
        elif chain[-1] in _TABLE_WRITES:
            self.table(node, written=True, at=1 if chain[-1] == "forName" else 0)
        elif chain[-1] in _TABLE_READS and chain[0] in {"spark", "fe", "fs", "client"}:
            self.table(node, written=False, at=0)

    def widget(self, verb: str, node: ast.Call) -> None:
        name = _literal(_argument(node, 0, "name"))
        if verb in _WIDGETS:
            self.code.widgets.add(name) if name else self.code.open.add("widgets")
        elif verb in {"get", "getArgument"} and name:
            has_default = verb == "getArgument" and _argument(node, 1, "defaultValue") is not None
            if not has_default:
                self.code.asked.setdefault(name, self.place(node))

    def task_value(self, verb: str, node: ast.Call) -> None:
        if verb == "set":
            key = _literal(_argument(node, 0, "key"))
            self.code.values.add(key) if key else self.code.open.add("values")
        elif verb == "get":
            task, key = _literal(_argument(node, 0, "taskKey")), _literal(_argument(node, 1, "key"))
            if task and key and _argument(node, 2, "default") is None:
                self.code.wanted.setdefault((task, key), self.place(node))

    def table(self, node: ast.Call, *, written: bool, at: int) -> None:
        name = _written_out(_argument(node, at, "name") or _argument(node, at, "tableName"))
        if name is None:
            self.code.open.update({"written"} if written else ())
        elif written:
            self.code.written.add(name)
        else:
            self.code.read.setdefault(name, self.place(node))


def _chain(node: ast.expr) -> tuple[str, ...]:
    """Return the names of a call, those of calls on the way too: spark, read, table."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Name):
            return (node.id, *reversed(names))
        else:
            return ("", *reversed(names))


def _argument(node: ast.Call, position: int, name: str) -> ast.expr | None:
    if position < len(node.args):
        return node.args[position]
    return next((word.value for word in node.keywords if word.arg == name), None)


def _literal(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _written_out(node: ast.expr | None) -> str | None:
    """Return a text with the values that only a run knows as `{name}`; None if it is all such."""
    if not isinstance(node, ast.JoinedStr):
        return _literal(node)
    parts = (
        "{" + ast.unparse(part.value) + "}" if isinstance(part, ast.FormattedValue) else part.value
        for part in node.values
        if isinstance(part, ast.FormattedValue | ast.Constant)
    )
    text = "".join(map(str, parts))
    return None if re.fullmatch(r"\{[^{}]*\}", text) else text

"""Asks the warm engine for the rows that a page shows; never starts or waits for it."""

from __future__ import annotations

import dataclasses
import shutil
import uuid
from collections.abc import Sequence
from typing import Any

from laketop.workspace.statements import Order, Statement, own_session
from laketop.workspace.ui.elements import notice, table
from laketop.workspace.ui.html import Child, Html, el, join
from laketop.workspace.ui.view import View

_SECONDS = 30.0
_LONGEST_CELL = 400


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """The rows of a statement as texts, or why there are none."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str | None]] = ()
    problem: str = ""
    is_cut: bool = False

    def dicts(self) -> list[dict[str, str | None]]:
        """Return the rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def ask(view: View, text: str, *, limit: int = 100, **arguments: str) -> Answer:
    """Return at most `limit` rows of a statement; not inside a transaction.

    `arguments` are the values of its parameters. Whatever is in the way is the answer's problem,
    in a sentence for a person: an engine that is not up, a statement that fails or takes too long.
    """
    local = view.workspace.engine.local
    if local is None or not local.state.answers:
        phase = "not there" if local is None else local.state.phase
        return Answer(
            problem=f"The rows are read by the engine, which is {phase}; `laketop up` starts it."
        )
    order = Order(text=text, user=view.user, warehouse_id="", arguments=arguments, row_limit=limit)
    name = f"page-{uuid.uuid4()}"
    folder = view.workspace.state / "statements" / name
    statement = Statement(name, order, folder, view.workspace.now_ms.steady)
    statement.start(lambda: own_session(view.workspace.spark_remote_as(view.user)))
    try:
        statement.ended.wait(_SECONDS)
        return _answer(statement)
    finally:
        statement.cancel()
        shutil.rmtree(statement.folder, ignore_errors=True)


def shown(answer: Answer, *, empty: str) -> Html:
    """Return an answer as a table, or as the sentence that says why there is none."""
    if answer.problem:
        return notice(answer.problem)
    if not answer.rows:
        return el("p", empty, class_="empty")
    cells = [[_cell(value) for value in row] for row in answer.rows]
    cut = notice(f"These are the first {len(cells)} rows.") if answer.is_cut else None
    return join(table([f" {column}" for column in answer.columns], cells, empty=""), cut)


def quoted(*names: str) -> str:
    """Return a name of several parts as SQL writes it, whatever its parts hold."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)


def _answer(statement: Statement) -> Answer:
    if statement.state != "SUCCEEDED":
        error: Any = statement.error or {}
        said = error.get("message") or f"The engine has not answered within {_SECONDS:g} seconds."
        return Answer(problem=str(said))
    rows: list[Sequence[str | None]] = []
    for chunk in statement.chunks:
        columns = statement.chunk(chunk["chunk_index"]).columns
        rows += list(zip(*(column.to_pylist() for column in columns), strict=True))
    names = [str(column["name"]) for column in statement.columns]
    return Answer(columns=names, rows=rows, is_cut=statement.is_truncated)


def _cell(value: str | None) -> Child:
    if value is None:
        return el("span", "null", class_="empty")
    if len(value) <= _LONGEST_CELL:
        return value
    return el("span", f"{value[:_LONGEST_CELL]}…", title=value[: 10 * _LONGEST_CELL])

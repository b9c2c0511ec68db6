"""One table: its columns, some of its rows, its history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import NotFound

from laketop.workspace import lake
from laketop.workspace.lake import Entry, Lake
from laketop.workspace.ui import delta_log
from laketop.workspace.ui.asking import ask, quoted, shown
from laketop.workspace.ui.elements import (
    chips,
    code,
    facts,
    link,
    moment,
    notice,
    pager,
    table,
    tabs,
)
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.view import Page, View, page, path

_ROWS = 100
_COMMITS = 25
_METRICS = ("_profile_metrics", "_drift_metrics")
_TABS = {"columns": "Columns", "rows": "Rows", "history": "History", "details": "Details"}


@page("/explore/data/{catalog}/{schema}/{name}")
def table_(view: View, catalog: str, schema: str, name: str) -> Page:
    """Show a table or a view."""
    found = Lake(view.workspace.state / "catalog")
    found.schema(catalog, schema)
    names = (lake.checked(catalog), lake.checked(schema), lake.checked(name))
    if names[2] not in found.tables(*names[:2]):
        raise NotFound(f"Table '{'.'.join(names)}' does not exist.")
    entry = found.entry("views", *names)
    is_view = entry.is_file()
    told = lake.read(entry if is_view else found.entry("tables", *names))
    folder = _folder(found, names, told)
    tab = view.query.get("tab", "columns")
    body = join(
        _facts(names, folder, is_view=is_view),
        tabs(view, _TABS, tab),
        _tab(view, tab, names, folder, told),
    )
    up = [("Catalog", "/explore/data")]
    up += [(catalog, path("explore", "data", catalog))]
    up += [(schema, path("explore", "data", catalog, schema))]
    return Page(title=names[2], body=body, section="data", trail=up)


def _folder(found: Lake, names: tuple[str, str, str], told: Entry) -> Path:
    location = str(told.get("location", "")).removeprefix("file:")
    if location.startswith("/") and not location.startswith("/Volumes/"):
        return Path(location)
    return found.folder(*names[:2]) / names[2]


def _facts(names: tuple[str, str, str], folder: Path, *, is_view: bool) -> Html:
    shape = None if is_view else delta_log.shape(folder)
    newest = [] if is_view else delta_log.history(folder, 1)
    monitored = next(
        (names[2].removesuffix(end) for end in _METRICS if names[2].endswith(end)), None
    )
    chart = link("its charts", path("monitors", *names[:2], monitored)) if monitored else None
    return facts(
        ("Name", el("code", ".".join(names))),
        ("Type", "view" if is_view else "table" if shape is None else "Delta table"),
        ("Version", newest[0].version if newest else None),
        ("Changed", moment(newest[0].at_ms) if newest else None),
        ("Partitioned by", ", ".join(shape.partitions) if shape else None),
        ("Comment", shape.description if shape else None),
        ("Monitor", chart),
    )


def _tab(view: View, tab: str, names: tuple[str, str, str], folder: Path, told: Entry) -> Html:
    if tab == "rows":
        text = f"SELECT * FROM {quoted(*names)}"  # noqa: S608 - quoted
        return shown(ask(view, text, limit=_ROWS), empty="It has no rows.")
    if tab == "history":
        return _history(view, folder)
    if tab == "details":
        return _details(folder, told)
    shape = delta_log.shape(folder)
    if shape is None:
        text = f"DESCRIBE TABLE {quoted(*names)}"
        return shown(ask(view, text, limit=1000), empty="It has no columns.")
    rows = [
        (
            column.name,
            el("code", column.type),
            "" if column.is_nullable else "not null",
            column.comment,
        )
        for column in shape.columns
    ]
    return table(("Column", "Type", "", "Comment"), rows, empty="It has no columns.")


def _history(view: View, folder: Path) -> Html:
    commits = delta_log.history(folder, _COMMITS, before=view.number("page"))
    rows = [
        (
            one.version,
            moment(one.at_ms),
            one.operation.lower(),
            _told(one.metrics),
            _told({k: v for k, v in one.parameters.items() if v not in ("", "[]", "{}", None)}),
        )
        for one in commits
    ]
    heads = ("#Version", "At", "Operation", "Figures", "Parameters")
    last = commits[-1].version if commits else 0
    older = view.here(tab="history", page=last) if len(commits) == _COMMITS and last else None
    newest = view.here(tab="history") if "page" in view.query else None
    empty = "Its log holds no commit that can be read: only Delta tables have a history."
    return join(table(heads, rows, empty=empty), pager(older, newest=newest))


def _told(values: Mapping[str, Any]) -> Html | None:
    return chips(values) if values else None


def _details(folder: Path, told: Entry) -> Html:
    shape = delta_log.shape(folder)
    text = told.get("text") or told.get("query") or told.get("sql")
    kept = {name: value for name, value in told.items() if isinstance(value, str) and value != text}
    parts = [
        code(str(text)) if text else None,
        chips(shape.properties) if shape and shape.properties else None,
        chips(kept) if kept else None,
    ]
    return join(parts) if any(parts) else notice("There is no more to tell of it.")

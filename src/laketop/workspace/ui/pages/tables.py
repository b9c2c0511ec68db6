"""One table: its columns, some of its rows, its history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laketop.workspace.lake import Lake
from laketop.workspace.storage import kept_folder
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
from laketop.workspace.ui.history import history
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.lineage import lineage
from laketop.workspace.ui.view import Page, View, page, path

_ROWS = 100
_COMMITS = 25
_METRICS = ("_profile_metrics", "_drift_metrics")
_TABS = {
    "columns": "Columns",
    "rows": "Rows",
    "lineage": "Lineage",
    "history": "History",
    "details": "Details",
}


@page("/explore/data/{catalog}/{schema}/{name}")
def table_(view: View, catalog: str, schema: str, name: str) -> Page:
    """Show a table or a view."""
    with view.reading():
        info = view.workspace.tables.get(f"{catalog}.{schema}.{name}")
    names = (info.catalog_name, info.schema_name, info.name)
    location = info.storage_location
    lake = Lake(view.workspace.metastore / "catalog")
    folder = kept_folder(lake, location) if location else None
    tab = view.query.get("tab", "columns")
    body = join(
        _facts(info, folder),
        tabs(view, _TABS, tab),
        _tab(view, tab, info, folder),
    )
    up = [("Catalog", "/explore/data"), (names[0], path("explore", "data", names[0]))]
    up += [(names[1], path("explore", "data", *names[:2]))]
    return Page(title=info.name, body=body, section="data", trail=up)


def _facts(info: Any, folder: Path | None) -> Html:
    newest = history(folder, 1) if folder else []
    monitored = next((info.name.removesuffix(e) for e in _METRICS if info.name.endswith(e)), None)
    names = (info.catalog_name, info.schema_name, monitored or "")
    partitions = [one for one in info.columns or () if one.partition_index is not None]
    return facts(
        ("Name", el("code", info.full_name)),
        ("Type", "view" if folder is None else f"{_format(info)} table"),
        ("Owner", info.owner),
        ("Version", newest[0].version if newest else None),
        ("Changed", moment(newest[0].at_ms if newest else info.updated_at)),
        ("Partitioned by", ", ".join(str(one.name) for one in partitions)),
        ("Comment", info.comment),
        ("Monitor", link("its charts", path("monitors", *names)) if monitored else None),
    )


def _tab(view: View, tab: str, info: Any, folder: Path | None) -> Html:
    name = quoted(info.catalog_name, info.schema_name, info.name)
    if tab == "rows":
        text = f"SELECT * FROM {name}"  # noqa: S608 - quoted
        return shown(ask(view, text, limit=_ROWS), empty="It has no rows.")
    if tab == "lineage":
        return lineage(view, str(info.full_name))
    if tab == "history":
        return _history(view, folder)
    if tab == "details":
        return _details(info)
    if not info.columns:
        return shown(ask(view, f"DESCRIBE TABLE {name}", limit=1000), empty="It has no columns.")
    rows = [
        (
            one.name,
            el("code", one.type_text),
            "not null" if one.nullable is False else "",
            one.comment,
        )
        for one in info.columns
    ]
    return table(("Column", "Type", "", "Comment"), rows, empty="It has no columns.")


def _format(info: Any) -> str:
    return (
        "" if info.data_source_format is None else str(info.data_source_format.value).capitalize()
    )


def _history(view: View, folder: Path | None) -> Html:
    commits = history(folder, _COMMITS, before=view.number("page")) if folder else []
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


def _details(info: Any) -> Html:
    parts = [
        code(info.view_definition) if info.view_definition else None,
        chips(info.properties) if info.properties else None,
        el("p", el("code", info.storage_location)) if info.storage_location else None,
    ]
    return join(parts) if any(parts) else notice("There is no more to tell of it.")

"""The catalog: catalogs, their schemas, and what is in a schema."""

from __future__ import annotations

from databricks.sdk.errors.platform import NotFound

from laketop.workspace import lake
from laketop.workspace.ui.elements import chips, code, facts, link, moment, section, size, table
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.seen import SeenLake
from laketop.workspace.ui.view import Page, View, page, path

_CATALOG = [("Catalog", "/explore/data")]
_MOST_FILES = 1000


@page("/explore/data")
def catalogs(view: View) -> Page:
    """List the catalogs."""
    found = SeenLake(view)
    rows = [
        (
            link(name, path("explore", "data", name)),
            len(found.schemas(name)),
            sum(len(found.tables(name, schema)) for schema in found.schemas(name)),
            found.all.catalog(name).get("owner"),
            found.all.catalog(name).get("comment"),
        )
        for name in found.catalogs()
    ]
    body = table(
        ("Catalog", "#Schemas", "#Tables", "Owner", "Comment"), rows, empty="There is none."
    )
    return Page(title="Catalog", body=body, section="data")


@page("/explore/data/{catalog}")
def catalog(view: View, catalog: str) -> Page:
    """List the schemas of a catalog."""
    found = SeenLake(view)
    found.require("CATALOG", catalog)
    entry = found.all.catalog(catalog)
    rows = []
    for name in found.schemas(catalog):
        told = found.all.schema(catalog, name)
        where = path("explore", "data", catalog, name)
        counts = [
            len(found.tables(catalog, name)),
            *(len(found.listed(kind, catalog, name)) for kind in ("volumes", "functions")),
        ]
        rows.append((link(name, where), *counts, told.get("owner"), told.get("comment")))
    heads = ("Schema", "#Tables", "#Volumes", "#Functions", "Owner", "Comment")
    body = join(
        facts(("Owner", entry.get("owner")), ("Comment", entry.get("comment"))),
        table(heads, rows, empty="It has no schema."),
    )
    return Page(title=catalog, body=body, section="data", trail=_CATALOG)


@page("/explore/data/{catalog}/{schema}")
def schema(view: View, catalog: str, schema: str) -> Page:
    """List the tables, views, volumes and functions of a schema."""
    found = SeenLake(view)
    found.require("SCHEMA", catalog, schema)
    entry = found.all.schema(catalog, schema)
    names = (catalog, schema)
    views = set(found.all.listed("views", *names))
    tables = [
        (
            link(name, path("explore", "data", *names, name)),
            "view" if name in views else "table",
            moment(lake.changed_ms(found.all.folder(*names) / name / "_delta_log")),
        )
        for name in found.tables(*names)
    ]
    body = join(
        facts(("Owner", entry.get("owner")), ("Comment", entry.get("comment"))),
        section("Tables", table(("Name", "Type", "Changed"), tables, empty="It has no table.")),
        _listed(found, names, "volumes", "Volumes"),
        _listed(found, names, "functions", "Functions"),
    )
    trail = [*_CATALOG, (catalog, path("explore", "data", catalog))]
    return Page(title=schema, body=body, section="data", trail=trail)


@page("/explore/data/volumes/{catalog}/{schema}/{volume}")
def volume(view: View, catalog: str, schema: str, volume: str) -> Page:
    """List the files of a volume."""
    found = SeenLake(view)
    found.require_read(catalog, schema, volume)
    entry = found.all.volume(catalog, schema, volume)
    folder = found.all.files(catalog, schema, volume)
    files = sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink())
    rows = [
        (str(one.relative_to(folder)), size(one.stat().st_size), moment(lake.changed_ms(one)))
        for one in files[:_MOST_FILES]
    ]
    body = join(
        facts(
            ("Path", el("code", f"/Volumes/{catalog}/{schema}/{volume}")),
            ("Owner", entry.get("owner")),
            ("Comment", entry.get("comment")),
            ("Files", f"{len(files):,}"),
        ),
        table(("File", "#Size", "Changed"), rows, empty="It is empty."),
    )
    return Page(title=volume, body=body, section="data", trail=_above(catalog, schema))


@page("/explore/data/functions/{catalog}/{schema}/{function}")
def function(view: View, catalog: str, schema: str, function: str) -> Page:
    """Show what a SQL function is made of."""
    found = SeenLake(view)
    found.require("FUNCTION", catalog, schema, function)
    found.all.schema(catalog, schema)
    file = found.all.entry("functions", catalog, schema, function)
    if not file.is_file():
        raise NotFound(f"Function '{catalog}.{schema}.{function}' does not exist.")
    entry = lake.read(file)
    text = entry.pop("text", entry.pop("sql", ""))
    body = join(code(text) if text else None, chips(entry))
    return Page(title=function, body=body, section="data", trail=_above(catalog, schema))


def _listed(found: SeenLake, names: tuple[str, str], kind: str, title: str) -> Html | None:
    rows = [
        (
            link(name, path("explore", "data", kind, *names, name)),
            moment(lake.changed_ms(found.all.entry(kind, *names, name))),
        )
        for name in found.listed(kind, *names)
    ]
    return section(title, table(("Name", "Changed"), rows, empty="")) if rows else None


def _above(catalog: str, schema: str) -> list[tuple[str, str]]:
    up = path("explore", "data", catalog)
    return [*_CATALOG, (catalog, up), (schema, path("explore", "data", catalog, schema))]

"""Search: everything of the workspace whose name holds what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from databricks.sdk.errors.base import DatabricksError

from laketop.workspace.model_rights import ModelRights
from laketop.workspace.ui.elements import link, table
from laketop.workspace.ui.html import Html, el
from laketop.workspace.ui.mlflow_asked import is_used
from laketop.workspace.ui.seen import SeenLake
from laketop.workspace.ui.view import Page, View, page, path

_MOST = 100

Found = tuple[str, str, str]
"""What kind of thing, its name, its address."""


@page("/search")
def search(view: View) -> Page:
    """List what the words of the query name, in any order and case; numbers are ids of runs too."""
    words = view.query.get("q", "").casefold().split()
    if not words:
        return Page(title="Search", body=el("p", "Type a part of a name.", class_="empty"))
    found: list[Found] = []
    for kind, name, address in _everything(view, words):
        if all(word in name.casefold() for word in words):
            found.append((kind, name, address))
        if len(found) == _MOST:
            break
    rows = [(link(name, address), kind) for kind, name, address in found]
    return Page(title="Search", body=_shown(rows, len(found)))


def _shown(rows: list[tuple[Html, str]], count: int) -> Html:
    if count < _MOST:
        return table(("Name", "What"), rows, empty="Nothing is named so.")
    return el(
        "div", table(("Name", "What"), rows, empty=""), el("p", f"These are the first {_MOST}.")
    )


def _everything(view: View, words: list[str]) -> Iterator[Found]:
    with view.reading():
        yield from _run(view, words)
        rows = view.workspace.store.execute("SELECT job_id, name FROM jobs ORDER BY job_id DESC")
        allows = view.workspace.permissions.allows
        rows = [one for one in rows if allows("jobs", str(one[0]), "CAN_VIEW")]
        endpoints = view.workspace.serving_endpoints.seen()
    for job_id, name in rows:
        yield "job", name, path("jobs", job_id)
    for one in endpoints:
        yield "endpoint", one["name"], path("ml", "endpoints", one["name"])
    yield from _lake(SeenLake(view))
    yield from _mlflow(view)


def _run(view: View, words: list[str]) -> Iterator[Found]:
    """Yield the run or the job of an id; they are named by it alone."""
    if len(words) != 1 or not re.fullmatch("[0-9]{1,15}", words[0]):
        return
    number, jobs = int(words[0]), view.workspace.jobs
    for kind, get in (("run", jobs.get_run), ("job", jobs.get)):
        try:
            found = get(number)
        except DatabricksError:
            continue
        run = ("runs", number) if kind == "run" else ()
        yield kind, words[0], path("jobs", found["job_id"], *run)


def _lake(lake: SeenLake) -> Iterator[Found]:
    for catalog in lake.catalogs():
        yield "catalog", catalog, path("explore", "data", catalog)
        for schema in lake.schemas(catalog):
            at = (catalog, schema)
            yield "schema", ".".join(at), path("explore", "data", *at)
            for name in lake.tables(*at):
                yield "table", ".".join((*at, name)), path("explore", "data", *at, name)
            for kind in ("volumes", "functions"):
                for name in lake.listed(kind, *at):
                    where = path("explore", "data", kind, *at, name)
                    yield kind.removesuffix("s"), ".".join((*at, name)), where


def _mlflow(view: View) -> Iterator[Found]:
    """Yield models and experiments; MLflow is loaded only where it was ever used."""
    if not is_used(view):
        return
    parts = view.workspace.mlflow.parts()
    sees = ModelRights(view.workspace).sees
    for one in parts.registry.search_models(max_results=1000)[0]:
        if sees(one.name, one.owner):
            yield "model", one.name, path("explore", "data", "models", *one.name.split("."))
    rights = view.workspace.mlflow.rights()
    for one in parts.backend.tracking.search_experiments(max_results=1000):
        if rights.sees(one.experiment_id, one.name):
            yield "experiment", one.name, path("ml", "experiments", one.experiment_id)

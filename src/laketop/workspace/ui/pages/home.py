"""The overview: what runs, what ran last, how much there is of everything."""

from __future__ import annotations

from laketop.workspace.ui.elements import facts, link, section, status
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.run_parts import is_final, runs_as_bars, runs_table
from laketop.workspace.ui.seen import SeenLake
from laketop.workspace.ui.view import Page, View, page

_SHOWN = 10


@page("/")
def home(view: View) -> Page:
    """Show what is going on in the workspace."""
    workspace = view.workspace
    now_ms = workspace.now_ms()
    with view.reading():
        runs = workspace.jobs.list_runs(limit=25)["runs"]
        active = workspace.jobs.list_runs(active_only=True, limit=25)["runs"]
        counts = _counts(view) if workspace.is_admin else []
    body = join(
        facts(
            ("Project", str(workspace.settings.root) if workspace.is_admin else None),
            ("Engine", engine_state(view)),
            ("You are", view.user),
            ("Workspace", workspace.workspace_id),
        ),
        el("div", counts, class_="cards") if counts else None,
        section("Active runs", runs_table(active, now_ms, empty="")) if active else None,
        section(
            "Latest runs",
            runs_as_bars(runs, now_ms),
            runs_table(runs[:_SHOWN], now_ms, empty="Nothing has run yet: `laketop run JOB`."),
            more=link("all runs", "/jobs/runs"),
        ),
    )
    is_changing = any(not is_final(run) for run in runs)
    return Page(
        title=workspace.settings.root.name, body=body, section="home", is_changing=is_changing
    )


def engine_state(view: View) -> Html:
    """Return what the engine is doing."""
    local = view.workspace.engine.local
    return status("none") if local is None else status(local.state.phase)


def _counts(view: View) -> list[Html]:
    workspace = view.workspace
    lake = SeenLake(view)
    store = workspace.store
    schemas = [(c, s) for c in lake.catalogs() for s in lake.schemas(c)]
    outbox = workspace.state / "outbox"
    told = (
        ("jobs", store.execute("SELECT count(*) FROM jobs")[0][0], "/jobs"),
        ("runs", store.execute("SELECT count(*) FROM runs")[0][0], "/jobs/runs"),
        ("tables", sum(len(lake.tables(*names)) for names in schemas), "/explore/data"),
        ("endpoints", len(workspace.serving_endpoints.seen()), "/ml/endpoints"),
        ("messages", len(list(outbox.glob("*.json"))) if outbox.is_dir() else 0, "/outbox"),
    )
    return [el("a", el("b", f"{n:,}"), el("span", text), href=address) for text, n, address in told]

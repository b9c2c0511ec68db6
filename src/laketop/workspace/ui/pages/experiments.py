"""Experiments: the list of them; each, and its runs, are looked at on MLflow's own page."""

from __future__ import annotations

from urllib.parse import quote

from laketop.workspace.service import Reply
from laketop.workspace.ui.elements import link, moment, notice, pager, table
from laketop.workspace.ui.html import el, join
from laketop.workspace.ui.mlflow_asked import asked, is_used
from laketop.workspace.ui.view import Page, View, page, path, redirect

_PER_PAGE = 50
_NONE = "There is no experiment yet: `mlflow.set_experiment` makes one."
_GENAI = (["traces"], ["prompts"], ["evaluation-runs"])


@page("/ml/experiments")
def experiments(view: View) -> Page:
    """List the experiments, those that were used last first."""
    if not is_used(view):
        return Page(title="Experiments", body=notice(_NONE), section="experiments")
    tracking = view.workspace.mlflow.parts().backend.tracking
    found = asked(
        lambda: tracking.search_experiments(
            max_results=_PER_PAGE,
            order_by=["last_update_time DESC"],
            page_token=view.query.get("page"),
        )
    )
    sees = view.workspace.mlflow.rights().sees
    rows = [
        (
            link(one.name, path("ml", "experiments", one.experiment_id)),
            one.experiment_id,
            moment(one.creation_time),
            moment(one.last_update_time),
        )
        for one in found
        if sees(one.experiment_id, one.name)
    ]
    older = view.here(page=found.token) if found.token else None
    body = join(
        el("p", link("MLflow's own page", "/mlflow/"), " shows runs, metrics, artifacts, traces."),
        el("p", link("Prompts", "/ml/prompts"), " of the registry."),
        table(
            ("Experiment", "Id", "Made", "Changed"),
            rows,
            empty=_NONE,
        ),
        pager(older, newest=view.here() if "page" in view.query else None),
    )
    return Page(title="Experiments", body=body, section="experiments")


@page("/ml/experiments/{rest...}")
def on_mlflows_page(view: View, rest: str) -> Reply:
    """Lead to the same place on MLflow's page: an experiment, a run, a logged model, traces."""
    del view
    kind = rest.split("/")[1:2]
    is_genai = kind in _GENAI
    # MLflow's page shows experiments in one of two ways, and begins with that of agents.
    way = "" if is_genai else "?workflowType=machine_learning"
    return redirect(f"/mlflow/#/experiments/{quote(rest)}{way}")

"""Registered models and their versions: aliases, tags, verdicts of the gates, approvals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import NotFound

from laketop.workspace.lake import Lake
from laketop.workspace.model_names import name_problem
from laketop.workspace.model_rights import ModelRights
from laketop.workspace.ui.asking import Answer, ask, quoted
from laketop.workspace.ui.elements import (
    chip,
    chips,
    facts,
    link,
    moment,
    notice,
    pager,
    section,
    status,
    table,
)
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.mlflow_asked import asked, is_used
from laketop.workspace.ui.view import Page, View, id_of, page, path

_MODELS = [("Models", "/ml/models")]
_NONE = "No model is registered yet: `mlflow.register_model` registers one."
_PER_PAGE = 50
_MOST_FIGURES = 400


@page("/ml/models")
def models(view: View) -> Page:
    """List the registered models that the person may know of."""
    if not is_used(view):
        return Page(title="Models", body=notice(_NONE), section="models")
    sees = ModelRights(view.workspace).sees
    found, more = asked(
        lambda: _registry(view).search_models(
            max_results=_PER_PAGE, page_token=view.query.get("page")
        )
    )
    rows = [
        (
            link(one.name, _model_path(one.name)),
            _aliases(one.aliases),
            one.owner,
            moment(one.updated_ms),
            one.description,
        )
        for one in found
        if sees(one.name, one.owner)
    ]
    newest = view.here() if "page" in view.query else None
    body = join(
        table(("Model", "Aliases", "Owner", "Changed", "Described"), rows, empty=_NONE),
        pager(view.here(page=more) if more else None, newest=newest),
    )
    return Page(title="Models", body=body, section="models")


@page("/explore/data/models/{catalog}/{schema}/{name}")
def model(view: View, catalog: str, schema: str, name: str) -> Page:
    """Show a model: its aliases, its versions, what was decided about them."""
    full = _full_name(catalog, schema, name)
    registry = _registry(view)
    found = asked(lambda: registry.model(full))
    token = view.query.get("page")
    versions, more = asked(
        lambda: registry.search_versions(
            filter_string=f"name='{full}'", max_results=_PER_PAGE, page_token=token
        )
    )
    rows = [
        (
            link(str(one.version), f"{_model_path(full)}/version/{one.version}"),
            [chip(alias, kind="alias") for alias, n in found.aliases.items() if n == one.version],
            status(one.status),
            one.owner,
            moment(one.created_ms),
            one.tags.get("approved_by"),
        )
        for one in sorted(versions, key=lambda one: -one.version)
    ]
    heads = ("Version", "Aliases", "State", "By", "Made", "Approved by")
    body = join(
        facts(
            ("Name", el("code", full)),
            ("Owner", found.owner),
            ("Made", moment(found.created_ms)),
            ("Aliases", _aliases(found.aliases)),
            ("Described", found.description),
            ("Deployment job", _job(found.deployment_job_id)),
            ("Tags", chips(found.tags) if found.tags else None),
        ),
        section("Versions", table(heads, rows, empty="It has no version yet.")),
        pager(view.here(page=more) if more else None, newest=view.here() if token else None),
        _decisions(view, full),
    )
    return Page(title=name, body=body, section="models", trail=_MODELS)


@page("/explore/data/models/{catalog}/{schema}/{name}/version/{number}")
def version(view: View, catalog: str, schema: str, name: str, number: str) -> Page:
    """Show one version: where it is from, what the gates said, who approved it."""
    full = _full_name(catalog, schema, name)
    wanted = id_of(number, "version")
    one = asked(lambda: _registry(view).version(full, wanted))
    deployment = view.workspace.model_deployments.of(full, wanted)
    body = join(
        facts(
            ("Name", el("code", f"{full}/{wanted}")),
            ("State", status(one.status)),
            ("Aliases", [chip(alias, kind="alias") for alias in one.aliases]),
            ("By", one.owner),
            ("Made", moment(one.created_ms)),
            ("Approved by", one.tags.get("approved_by")),
            ("MLflow run", _run_link(view, one.run_id)),
            ("Deployment", _deployment(deployment)),
            ("Described", one.description),
        ),
        notice(one.status_message, kind="bad") if one.status_message else None,
        section("Tags", chips(one.tags)) if one.tags else None,
        _evaluations(view, full, wanted),
    )
    trail = [*_MODELS, (full, _model_path(full))]
    return Page(title=f"Version {wanted}", body=body, section="models", trail=trail)


# --- what the gates said, and what was decided -----------------------------------------------


def _evaluations(view: View, full: str, version: int) -> Html | None:
    """Return the verdicts and figures of `model_evaluations`, the table of `laketop.ml`."""
    told = _rows_of(
        view,
        full,
        "model_evaluations",
        "SELECT evaluated_at, gate, passed, pending, measured, `limit`, reason, champion, slice,"
        " metric, low, high FROM {table} WHERE model = :model AND version = :version"
        " ORDER BY evaluated_at DESC, metric NULLS FIRST, gate",
        version=str(version),
    )
    if told is None or told.problem or not told.rows:
        return _unread(told, "Evaluations")
    found = told.dicts()
    newest = [row for row in found if row["evaluated_at"] == found[0]["evaluated_at"]]
    verdicts = [row for row in newest if row["metric"] is None]
    figures = [row for row in newest if row["metric"] is not None]
    against = found[0]["champion"]
    shown = table(
        ("Gate", "Verdict", "#Measured", "#Limit", "Reason"),
        [
            (r["gate"], _verdict(r), _short(r["measured"]), _short(r["limit"]), r["reason"])
            for r in verdicts
        ],
        empty="",
    )
    more = [found[0]["evaluated_at"], f", against version {against}" if against else ""]
    slices = table(
        ("Gate", "Metric", "Slice", "#Measured", "#From", "#To"),
        [
            (
                r["gate"],
                r["metric"],
                r["slice"],
                _short(r["measured"]),
                _short(r["low"]),
                _short(r["high"]),
            )
            for r in figures
        ],
        empty="",
    )
    return section(
        "Evaluation",
        shown,
        [el("h3", "Figures"), slices] if figures else None,
        more=el("span", more),
    )


def _decisions(view: View, full: str) -> Html | None:
    """Return the rows of `promotions`, the table of `laketop.ml`."""
    told = _rows_of(
        view,
        full,
        "promotions",
        "SELECT decided_at, version, previous, outcome, approved_by, reason FROM {table}"
        " WHERE model = :model ORDER BY decided_at DESC",
    )
    if told is None or told.problem or not told.rows:
        return _unread(told, "Promotions and approvals")
    rows = [
        (
            r["decided_at"],
            r["version"],
            r["previous"],
            status(r["outcome"] or ""),
            r["approved_by"],
            r["reason"],
        )
        for r in told.dicts()
    ]
    heads = ("Decided", "Version", "Before", "Outcome", "Approved by", "Reason")
    return section("Promotions and approvals", table(heads, rows, empty=""))


def _rows_of(view: View, full: str, name: str, text: str, **more: str) -> Answer | None:
    catalog, schema, _ = full.split(".")
    lake = Lake(view.workspace.metastore / "catalog")
    if name not in lake.tables(catalog, schema):
        return None
    wanted = text.replace("{table}", quoted(catalog, schema, name))
    return ask(view, wanted, limit=_MOST_FIGURES, model=full, **more)


def _unread(told: Answer | None, title: str) -> Html | None:
    return section(title, notice(told.problem)) if told is not None and told.problem else None


def _verdict(row: Mapping[str, str | None]) -> Html:
    if row["passed"] == "true":
        return status("PASSED")
    return status("PENDING" if row["pending"] == "true" else "FAILED")


def _short(text: str | None) -> str:
    try:
        return "" if text is None else f"{float(text):,.5g}"
    except ValueError:
        return str(text)


# --- where they are from ----------------------------------------------------------------------


def _registry(view: View) -> Any:
    return view.workspace.mlflow.parts().registry


def _full_name(*parts: str) -> str:
    full = ".".join(parts)
    problem = name_problem(full)
    if problem is not None or len(full.split(".")) != len(parts):
        raise NotFound(problem or f"There is no model {full[:300]!r}.")
    return full


def _model_path(full: str) -> str:
    return path("explore", "data", "models", *full.split("."))


def _aliases(aliases: Mapping[str, int]) -> Html:
    return join([chip(f"{alias} → {version}", kind="alias") for alias, version in aliases.items()])


def _job(job_id: str | None) -> Html | None:
    return link(f"job {job_id}", path("jobs", job_id)) if job_id else None


def _run_link(view: View, run_id: str | None) -> Html | str | None:
    if not run_id:
        return None
    from mlflow.exceptions import MlflowException

    try:
        run = view.workspace.mlflow.parts().backend.tracking.get_run(run_id)
    except MlflowException:
        return run_id
    return link(
        run.info.run_name or run_id,
        path("ml", "experiments", run.info.experiment_id, "runs", run_id),
    )


def _deployment(found: Any) -> Html | None:
    if found is None or not found.run_id:
        return None
    where = path("jobs", found.job_id, "runs", found.run_id)
    return join(link(f"run {found.run_id}", where), " ", status(found.run_state or "PENDING"))

"""Serving endpoints: what each serves, to which share of the traffic, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.base import DatabricksError

from laketop.workspace.ui.elements import chips, code, facts, link, moment, section, status, table
from laketop.workspace.ui.html import Child, Html, el, join
from laketop.workspace.ui.run_parts import plain
from laketop.workspace.ui.view import Page, View, page, path

Fields = Mapping[str, Any]


@page("/ml/endpoints")
def endpoints(view: View) -> Page:
    """List the endpoints."""
    with view.reading():
        found = view.workspace.serving_endpoints.seen()
    rows = [
        (
            link(one["name"], path("ml", "endpoints", one["name"])),
            status(_state(one)),
            [_entity(entity) for entity in _entities(one)],
            one.get("creator"),
            moment(one.get("last_updated_timestamp")),
        )
        for one in found
    ]
    heads = ("Endpoint", "State", "Serves", "Made by", "Changed")
    body = table(heads, rows, empty="Nothing is served yet.")
    is_changing = any(_state(one) == "IN_PROGRESS" for one in found)
    return Page(title="Serving", body=body, section="endpoints", is_changing=is_changing)


@page("/ml/endpoints/{name}")
def endpoint(view: View, name: str) -> Page:
    """Show an endpoint."""
    with view.reading():
        found = view.workspace.serving_endpoints.get(name)
        logs = [(entity, _log(view, name, entity)) for entity in _entities(found)]
    shares = {
        route["served_model_name"]: route["traffic_percentage"]
        for route in ((found.get("config") or {}).get("traffic_config") or {}).get("routes", ())
    }
    rows = [_row(entity, shares) for entity, _ in logs]
    heads = ("Served entity", "Model", "State", "#Traffic", "")
    body = join(
        facts(
            ("State", status(_state(found))),
            ("Invoked at", el("code", f"POST /serving-endpoints/{name}/invocations")),
            ("Made by", found.get("creator")),
            ("Made", moment(found.get("creation_timestamp"))),
            ("Changed", moment(found.get("last_updated_timestamp"))),
            ("Tags", chips({one["key"]: one.get("value", "") for one in found.get("tags") or ()})),
        ),
        section("Served", table(heads, rows, empty="It serves nothing.")),
        [section(f"Log of {entity['name']}", code(text)) for entity, text in logs if text],
    )
    return Page(
        title=name,
        body=body,
        section="endpoints",
        trail=[("Serving", "/ml/endpoints")],
        is_changing=_state(found) == "IN_PROGRESS",
    )


def _row(entity: Fields, shares: Mapping[str, int]) -> tuple[Child, ...]:
    state = entity.get("state") or {}
    share = shares.get(entity["name"])
    return (
        entity["name"],
        _entity(entity),
        status(str(state.get("deployment", "")).removeprefix("DEPLOYMENT_")),
        None if share is None else f"{share} %",
        state.get("deployment_state_message"),
    )


def _entities(found: Fields) -> list[Fields]:
    config = found.get("config") or found.get("pending_config") or {}
    return list(config.get("served_entities") or ())


def _entity(entity: Fields) -> Html:
    model, number = str(entity.get("entity_name") or ""), entity.get("entity_version")
    where = path("explore", "data", "models", *model.split("."), "version", str(number))
    return join(link(f"{model}/{number}", where), " ")


def _state(found: Fields) -> str:
    state = found.get("state") or {}
    update = str(state.get("config_update") or "NOT_UPDATING")
    return str(state.get("ready") or "NOT_READY") if update == "NOT_UPDATING" else update


def _log(view: View, name: str, entity: Fields) -> str:
    try:
        told = view.workspace.serving_endpoints.logs(name, entity["name"])
    except DatabricksError:
        return ""
    return plain(str(told["logs"]))

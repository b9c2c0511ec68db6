"""Runs the SQL of what is saved on a workspace: queries, and alerts of both APIs."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

from laketop.runner import alerts
from laketop.runner.hosted import run_hosted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from laketop.runner.context import Outcome, TaskContext

QUERY_FILE: Final = "query.sql"


def run_query(query_id: str, given: Mapping[str, str], context: TaskContext) -> Outcome:
    """Run a saved query; `given` are values of its parameters. Its rows are the output.

    Errors: LaketopError for a query that is not there.
    """
    query = context.saved("query", query_id)
    statements = [str(query.get("query_text") or "")]
    if query.get("schema"):
        statements.insert(0, f"USE SCHEMA {alerts.quoted(query['schema'])}")
    if query.get("catalog"):
        statements.insert(0, f"USE CATALOG {alerts.quoted(query['catalog'])}")
    return _run(";\n".join(statements), {**dict(_defaults(query)), **given}, context)


def run_alert(
    alert: Mapping[str, Any],
    given: Mapping[str, str],
    context: TaskContext,
    subscribers: Sequence[Mapping[str, Any]] = (),
) -> Outcome:
    """Run the query of an alert and tell its state, in the output's `alert_state`.

    The alert is on a saved query, or has one of its own; `subscribers` are the task's.
    Errors: LaketopError for a saved query that is not there; ConfigError for an alert that
    compares what cannot be compared.
    """
    if "evaluation" in alert:
        outcome = _run(alerts.query_of(alert), {**parameters_of(alert), **given}, context)
    else:
        outcome = run_query(str(alert["query_id"]), given, context)
    if outcome.result_state != "SUCCESS":
        return outcome
    rows = outcome.output.get("rows") or []
    if "evaluation" in alert:
        state = alerts.state_of_evaluation(alert["evaluation"], rows)
    else:
        state = alerts.state_of(alert.get("condition") or {}, rows)
    finding = alerts.Finding(
        alert_id=str(alert["id"]),
        state=state,
        job_id=context.job_id,
        run_id=context.run_id,
        task_run_id=context.task_run_id,
        task_key=context.task_key,
        told=alerts.subscribers(subscribers),
    )
    context.found(finding)
    return dataclasses.replace(outcome, output={**outcome.output, "alert_state": state})


def parameters_of(alert: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of an alert's own query, and their defaults."""
    own = alert.get("parameters") or ()
    return {str(parameter["name"]): str(parameter.get("value") or "") for parameter in own}


def _run(text: str, parameters: Mapping[str, str], context: TaskContext) -> Outcome:
    file = context.directory / QUERY_FILE
    file.write_text(text, encoding="utf-8")
    return run_hosted("sql", str(file), context, parameters=parameters)


def _defaults(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in query.get("parameters") or ():
        for kind in ("text_value", "numeric_value", "date_value", "enum_value"):
            holder = parameter.get(kind)
            if holder is not None:
                value = holder.get("value", holder.get("date_value", holder.get("values", "")))
                text = value if isinstance(value, str) else json.dumps(value)
                yield str(parameter.get("name", "")), text

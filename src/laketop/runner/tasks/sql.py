"""`sql_task`: SQL of a file, of a saved query, or of an alert, run on the engine.

Source: Databricks docs, job parameters: the task's parameters take job parameters in. The engine
stands for every warehouse, so `warehouse_id` chooses nothing.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError, Refused
from laketop.runner import git_source
from laketop.runner.alerts import state_of
from laketop.runner.hosted import run_hosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext

QUERY_FILE: Final = "query.sql"
_KINDS: Final = ("file", "query", "alert", "dashboard")


class SqlTask:
    """Runs the statements in a process of its own; the rows of the last one are its output."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the SQL with its parameters; job parameters win over its own.

        Errors: Refused for a dashboard, ConfigError for a task with none or several of its kinds.
        """
        settings = task["sql_task"]
        kinds = [kind for kind in _KINDS if settings.get(kind) is not None]
        if len(kinds) != 1:
            raise ConfigError(
                f"sql task {context.task_key!r} has {' and '.join(kinds) or 'nothing'} to run",
                hint="give it one of file, query, alert",
            )
        own = {name: str(value) for name, value in (settings.get("parameters") or {}).items()}
        given = {**own, **context.job_parameters}
        match kinds[0]:
            case "file":
                return _run_file(settings["file"], given, context)
            case "query":
                return _run_query(str(settings["query"]["query_id"]), given, context)
            case "alert":
                return _run_alert(str(settings["alert"]["alert_id"]), given, context)
        raise Refused("a sql task with a dashboard")


def _run_file(
    settings: Mapping[str, Any], given: Mapping[str, str], context: TaskContext
) -> Outcome:
    found = git_source.located(settings["path"], settings.get("source"), context)
    return run_hosted("sql", found.path, context, parameters=given, root=found.root)


def _run_query(query_id: str, given: Mapping[str, str], context: TaskContext) -> Outcome:
    query = context.saved("query", query_id)
    statements = [str(query.get("query_text") or "")]
    if query.get("schema"):
        statements.insert(0, f"USE SCHEMA {_quoted(query['schema'])}")
    if query.get("catalog"):
        statements.insert(0, f"USE CATALOG {_quoted(query['catalog'])}")
    file = context.directory / QUERY_FILE
    file.write_text(";\n".join(statements), encoding="utf-8")
    defaults = dict(_defaults(query))
    return run_hosted("sql", str(file), context, parameters={**defaults, **given})


def _run_alert(alert_id: str, given: Mapping[str, str], context: TaskContext) -> Outcome:
    alert = context.saved("alert", alert_id)
    outcome = _run_query(str(alert["query_id"]), given, context)
    if outcome.result_state != "SUCCESS":
        return outcome
    state = state_of(alert.get("condition") or {}, outcome.output.get("rows") or [])
    return dataclasses.replace(outcome, output={**outcome.output, "alert_state": state})


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _defaults(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for parameter in query.get("parameters") or ():
        for kind in ("text_value", "numeric_value", "date_value", "enum_value"):
            holder = parameter.get(kind)
            if holder is not None:
                value = holder.get("value", holder.get("date_value", holder.get("values", "")))
                text = value if isinstance(value, str) else json.dumps(value)
                found.append((str(parameter.get("name", "")), text))
    return found

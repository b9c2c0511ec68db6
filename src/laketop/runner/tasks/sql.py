"""`sql_task`: SQL of a file, of a saved query, or of an alert, run on the engine.

Source: Databricks docs, job parameters: the task's parameters take job parameters in. The engine
stands for every warehouse, so `warehouse_id` chooses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError, Refused
from laketop.runner import git_source
from laketop.runner.hosted import run_hosted
from laketop.runner.saved_sql import run_alert, run_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext

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
                return run_query(str(settings["query"]["query_id"]), given, context)
            case "alert":
                return _run_alert(settings["alert"], given, context)
        raise Refused("a sql task with a dashboard")


def _run_alert(
    settings: Mapping[str, Any], given: Mapping[str, str], context: TaskContext
) -> Outcome:
    alert = context.saved("alert", str(settings["alert_id"]))
    told = () if settings.get("pause_subscriptions") else settings.get("subscriptions") or ()
    return run_alert(alert, given, context, told)


def _run_file(
    settings: Mapping[str, Any], given: Mapping[str, str], context: TaskContext
) -> Outcome:
    found = git_source.located(settings["path"], settings.get("source"), context)
    return run_hosted("sql", found.path, context, parameters=given, root=found.root)

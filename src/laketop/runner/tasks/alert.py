"""`alert_task`: an alert with a query of its own, evaluated on the engine.

Source: databricks-sdk, `jobs.AlertTask`. Job parameters reach it by references in its own alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.errors import ConfigError, Refused
from laketop.runner.saved_sql import parameters_of, run_alert

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from laketop.runner.context import Outcome, TaskContext


class AlertTask:
    """Runs the query of an alert; whether it is triggered is its output."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Evaluate the alert with the parameters of the task.

        Errors: Refused for an alert by its path, ConfigError for a task without an alert or with
        a parameter that the alert has not.
        """
        settings = task["alert_task"]
        if settings.get("workspace_path"):
            raise Refused("an alert task with a workspace_path", hint="give it an alert_id")
        if not settings.get("alert_id"):
            raise ConfigError(f"alert task {context.task_key!r} has no alert_id")
        alert_id = str(settings["alert_id"])
        given = {name: str(value) for name, value in (settings.get("parameters") or {}).items()}
        alert = context.saved("alert", alert_id)
        _check(alert_id, given, known=parameters_of(alert))
        return run_alert(alert, given, context, settings.get("subscribers") or ())


def _check(alert_id: str, given: Collection[str], *, known: Collection[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigError(
            f"the alert {alert_id!r} has no parameter {unknown[0]!r}",
            hint=f"it has {', '.join(known) or 'none'}",
        )

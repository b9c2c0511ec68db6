"""The for_each task: runs a nested task once for each input, some of them at the same time.

Source: Databricks docs, task types. The iterations themselves are carried out by the run
(`iterations.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.runner.context import Outcome
from laketop.runner.iterations import concurrency_of, inputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import TaskContext


class ForEachTask:
    """Waits for its iterations; they all finish, and one that fails makes the task fail.

    That it does is unverified, that the others still finish is laketop's choice.
    """

    waits = True

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run an iteration for each input; none at all is a success.

        Errors: ConfigError for inputs that are no JSON array and for a concurrency that is none.
        """
        settings = task["for_each_task"]
        inputs = inputs_of(settings)
        result, error = context.run_each(settings["task"], inputs, concurrency_of(settings))
        return Outcome(result, error=error)

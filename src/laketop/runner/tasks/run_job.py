"""The run_job task: starts another job, waits, takes over its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError
from laketop.runner.context import Outcome
from laketop.runner.references import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import TaskContext

_FIELDS: Final = {"job_id", "job_parameters"}
_TAKEN_OVER: Final = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS",
    "CANCELED": "CANCELED",
    "TIMEDOUT": "TIMEDOUT",
}
"""Any other result of the child is a failure of the task."""


class RunJobTask:
    """Runs the job `job_id`, to which the parameters of this job are handed on."""

    waits = True

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the job to its end.

        Errors: ConfigError for a `job_id` that is no number, and for parameters both of the job
        and of its tasks.
        Source: Databricks docs, task types, and job parameters: those of this job win. That the
        two kinds of parameters do not mix is unverified.
        """
        settings = task["run_job_task"]
        of_tasks = {name: settings[name] for name in settings if name not in _FIELDS}
        given = sorted(name for name, value in of_tasks.items() if value)
        if given and settings.get("job_parameters"):
            raise ConfigError(
                f"run_job task {context.task_key!r} has both job_parameters and {given[0]}",
                hint="use job_parameters alone",
            )
        own = {name: text_of(value) for name, value in settings.get("job_parameters", {}).items()}
        job_id = _job_id(settings.get("job_id"))
        child = context.run_job(job_id, {**own, **context.job_parameters}, of_tasks)
        result = _TAKEN_OVER.get(child.result_state, "FAILED")
        error = None
        if result != "SUCCESS":
            message = f": {child.message}" if child.message else ""
            error = f"run {child.run_id} of job {job_id} ended {child.result_state}{message}"
        return Outcome(result, error=error, child_run_id=child.run_id)


def _job_id(value: Any) -> int:
    text = str(value)
    if not text.isdecimal():
        raise ConfigError(f"the job_id {value!r} of a run_job task is no number")
    return int(text)

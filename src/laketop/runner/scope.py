"""What the references in a task's settings lead to: the facts of its run.

Source: Databricks docs, dynamic values. What is not named there is unverified.
"""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any, Final

from laketop.runner.references import Scope, moment
from laketop.runner.states import BAD, GOOD, NEVER_RAN, termination_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from laketop.runner.attempt import Attempt

TRIGGER_WORDS: Final = {"ONE_TIME": "onetime", "RUN_JOB_TASK": "run_job"}
"""`job.trigger.type` where it is not the trigger in lower case; unverified."""
OLD_REFERENCES: Final = {
    "job_id": ("job", "id"),
    "parent_run_id": ("job", "run_id"),
    "start_date": ("job", "start_time", "iso_date"),
    "start_time": ("job", "start_time", "timestamp_ms"),
    "run_id": ("task", "run_id"),
    "task_key": ("task", "name"),
}
"""What references were called once, and are called now; unverified, as is `task_retry_count`."""
RESULT_WORDS: Final = {result: result.lower() for result in (*GOOD, *BAD, *NEVER_RAN)}
"""What `tasks.T.result_state` says; unverified."""
FIRST_EXECUTION: Final = 1
"""What `execution_count` begins with, retries and repairs adding one each; unverified."""


def nested(facts: Mapping[str, Any]) -> Scope:
    """Return JSON as what references lead to, one level a dot."""
    inner = {k: nested(v) if isinstance(v, dict) else v for k, v in facts.items()}
    return Scope(inner)


def job_scope(
    job: Mapping[str, Any],
    *,
    trigger: str,
    start_ms: int,
    trigger_ms: int,
    workspace: Scope,
    facts: Mapping[str, Any],
) -> Scope:
    """Return what a job's parameters may refer to; `job` has id, name, run_id, repair_count.

    `facts` holds what the trigger knows, `trigger`, and the time of a `backfill`.
    """
    about = {"time": moment(trigger_ms), **nested(facts.get("trigger", {}))}
    trigger_word = TRIGGER_WORDS.get(trigger, trigger.lower())
    trigger_scope = Scope({"type": trigger_word, **about})
    return _with_old(
        {
            "job": Scope({**job, "start_time": moment(start_ms), "trigger": trigger_scope}),
            "workspace": workspace,
            "backfill": nested(facts.get("backfill", {})),
        }
    )


def task_scope(
    job: Scope, parameters: Mapping[str, str], attempt: Attempt, upstream: Iterable[Attempt]
) -> Scope:
    """Return what an attempt's settings may refer to; `upstream` are the last attempts above."""
    return _with_old(
        {
            **job,
            "job": Scope({**job["job"], "parameters": Scope(parameters)}),
            "task": Scope({"name": attempt.key, **facts_of(attempt)}),
            "tasks": Scope({above.key: _task_above(above) for above in upstream}),
            "task_retry_count": attempt.number,
        }
    )


def _with_old(facts: Mapping[str, Any]) -> Scope:
    old = {
        name: functools.reduce(operator.getitem, path, facts)
        for name, path in OLD_REFERENCES.items()
        if path[0] in facts
    }
    return Scope({**facts, **old})


def _task_above(attempt: Attempt) -> Scope:
    """Return what is known of a task above; all but its `values` is unverified."""
    result = attempt.result or ""
    return Scope(
        {
            **facts_of(attempt),
            "values": Scope(attempt.values),
            "result_state": RESULT_WORDS.get(result, result.lower()),
            "error_code": termination_code(result),
            **({"output": _output(attempt.output)} if attempt.output else {}),
        }
    )


def _output(output: Mapping[str, Any]) -> Scope:
    rows = output.get("rows") or []
    first = {"first_row": Scope(rows[0], itself=rows[0])} if rows else {}
    return Scope({**output, **first})


def facts_of(attempt: Attempt) -> dict[str, Any]:
    """Return what a reference may ask of an attempt, of its own task or of one above it."""
    facts = {"run_id": attempt.run_id, "execution_count": attempt.number + FIRST_EXECUTION}
    path = (attempt.task.get("notebook_task") or {}).get("notebook_path")
    return {**facts, "notebook_path": path} if path else facts

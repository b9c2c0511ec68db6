"""The words for how runs and tasks stand, in both spellings, and the tables that decide them.

Source: Jobs API 2.2, run states; Databricks docs, Run if. A run or a task is at one *life cycle*
and, once final, has one *result*; both are the strings of the Jobs API, of which databricks-sdk
knows every one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

FINAL: Final = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
GOOD: Final = frozenset({"SUCCESS", "EXCLUDED"})
"""That an excluded parent counts as good beside one that ran is unverified."""
FAILURES: Final = frozenset({"FAILED", "TIMEDOUT", "UPSTREAM_FAILED"})
CANCELLATIONS: Final = frozenset({"CANCELED", "UPSTREAM_CANCELED"})
BAD: Final = FAILURES | CANCELLATIONS

NEVER_RAN: Final = frozenset({"EXCLUDED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED", "DISABLED"})
RESULT_WITH_A_CANCELED_LEAF: Final = "CANCELED"
"""Of a run none of whose leaves failed; unverified."""
LIFE_CYCLE_OF_A_TASK_THAT_NEVER_RAN: Final = "SKIPPED"
"""Unverified."""

STATUS_WHILE_WAITING_FOR_RETRY: Final = "WAITING"
"""Unverified."""
TYPE_OF_SUCCESS_WITH_FAILURES: Final = "SUCCESS"
"""Unverified."""
TYPE_OF_TIMEDOUT: Final = "CLIENT_ERROR"
"""Unverified."""
TYPE_OF_CANCELED: Final = "CLIENT_ERROR"
"""Unverified."""
TYPE_OF_SKIPPED: Final = "CLIENT_ERROR"
"""Unverified."""

WORKLOAD_FAILED: Final = "Workload failed, see run output for details"
"""The message of a failed task, recorded from a workspace."""
MESSAGES: Final = {
    "FAILED": WORKLOAD_FAILED,
    "TIMEDOUT": "Timed out",
    "CANCELED": "Run cancelled",
    "UPSTREAM_FAILED": "An upstream task failed",
    "UPSTREAM_CANCELED": "An upstream task was canceled",
    "EXCLUDED": "The conditions of the task were not met",
    "DISABLED": "The task is disabled",
    "MAXIMUM_CONCURRENT_RUNS_REACHED": "Skipped due to reaching the maximum of concurrent runs",
}
"""What `state_message` says; unverified but for FAILED."""

_TERMINATION: Final = {
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "SUCCESS_WITH_FAILURES": ("SUCCESS_WITH_FAILURES", TYPE_OF_SUCCESS_WITH_FAILURES),
    "FAILED": ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
    "TIMEDOUT": ("CANCELED", TYPE_OF_TIMEDOUT),
    "CANCELED": ("USER_CANCELED", TYPE_OF_CANCELED),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("MAX_CONCURRENT_RUNS_EXCEEDED", TYPE_OF_SKIPPED),
    "EXCLUDED": ("SKIPPED", TYPE_OF_SKIPPED),
    "UPSTREAM_FAILED": ("SKIPPED", TYPE_OF_SKIPPED),
    "UPSTREAM_CANCELED": ("SKIPPED", TYPE_OF_SKIPPED),
    "DISABLED": ("DISABLED", TYPE_OF_SKIPPED),
}
_INTERNAL_ERROR: Final = ("INTERNAL_ERROR", "INTERNAL_ERROR")


def both_spellings(
    life_cycle: str, result: str | None = None, *, message: str = "", internal: bool = False
) -> dict[str, Any]:
    """Return the fields `state` and `status` of a run or task.

    `result` is the result, or in TERMINATING the one that is coming. `internal` marks a fault
    of laketop's own, so that `status` does not blame the task.
    >>> both_spellings("BLOCKED")["status"]
    {'state': 'BLOCKED'}
    >>> both_spellings("TERMINATED", "SUCCESS")["status"]["termination_details"]
    {'code': 'SUCCESS', 'type': 'SUCCESS', 'message': ''}
    """
    state: dict[str, Any] = {"life_cycle_state": life_cycle, "state_message": message}
    if life_cycle in FINAL and result is not None:
        state["result_state"] = result
    state["user_cancelled_or_timedout"] = result in {"CANCELED", "TIMEDOUT"}
    status: dict[str, Any] = {"state": _status_word(life_cycle)}
    if status["state"] in {"TERMINATING", "TERMINATED"} and result is not None:
        code, kind = _INTERNAL_ERROR if internal else _TERMINATION[result]
        status["termination_details"] = {"code": code, "type": kind, "message": message}
    return {"state": state, "status": status}


def termination_code(result: str) -> str:
    """Return the `termination_details.code` of a result."""
    return _TERMINATION[result][0]


def _status_word(life_cycle: str) -> str:
    if life_cycle in FINAL:
        return "TERMINATED"
    if life_cycle == "WAITING_FOR_RETRY":
        return STATUS_WHILE_WAITING_FOR_RETRY
    return life_cycle


def decide(run_if: str, parents: Collection[str]) -> str:
    """Return RUN, or the result that a task gets without running, once its parents are final.

    `parents` are their results, without the DISABLED ones: those decide nothing here.
    Errors: ConfigError for a `run_if` that the Jobs API does not have.
    Source: Databricks docs, Run if.
    """
    if not parents:
        return "RUN"
    if all(parent == "EXCLUDED" for parent in parents):
        return "EXCLUDED"
    good = any(parent in GOOD for parent in parents)
    bad = any(parent in BAD for parent in parents)
    if run_if == "ALL_DONE":
        return "RUN"
    if run_if in {"ALL_SUCCESS", "NONE_FAILED"}:
        return _upstream(parents) if bad else "RUN"
    if run_if == "AT_LEAST_ONE_SUCCESS":
        return "RUN" if good else _upstream(parents)
    if run_if == "AT_LEAST_ONE_FAILED":
        return "RUN" if bad else "EXCLUDED"
    if run_if == "ALL_FAILED":
        return "EXCLUDED" if good else "RUN"
    raise ConfigError(f"run_if {run_if!r} does not exist", hint=f"one of {', '.join(RUN_IF)}")


RUN_IF: Final = (
    "ALL_SUCCESS",
    "ALL_DONE",
    "NONE_FAILED",
    "AT_LEAST_ONE_SUCCESS",
    "AT_LEAST_ONE_FAILED",
    "ALL_FAILED",
)


def _upstream(parents: Iterable[str]) -> str:
    failed = any(parent in FAILURES for parent in parents)
    return "UPSTREAM_FAILED" if failed else "UPSTREAM_CANCELED"


def is_disabled_by(run_if: str, disabled: Collection[bool]) -> bool:
    """Return whether a task cannot run because parents are disabled; one flag a parent.

    Source: Databricks docs, Run if; decided when the run is created.
    """
    if not any(disabled) or run_if == "ALL_DONE":
        return False
    return run_if in {"ALL_SUCCESS", "ALL_FAILED"} or all(disabled)


def result_of_run(leaves: Iterable[str], others: Iterable[str]) -> str:
    """Return the result of a run from the results of its leaves and of its other tasks.

    Disabled tasks are not part of the graph that is asked about.
    Source: Jobs API 2.2, run states.
    """
    leaves = set(leaves)
    if leaves & FAILURES:
        return "FAILED"
    if leaves & CANCELLATIONS:
        return RESULT_WITH_A_CANCELED_LEAF
    return "SUCCESS_WITH_FAILURES" if set(others) & BAD else "SUCCESS"

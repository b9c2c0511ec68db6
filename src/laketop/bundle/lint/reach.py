"""Tasks that can never run."""

from __future__ import annotations

from laketop.bundle.lint.conditions import operand
from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems

_NEEDS_SUCCESS = frozenset({"", "ALL_SUCCESS", "ALL_FAILED"})
"""Conditions that a parent which is switched off cannot meet. Source: Databricks docs, Run if."""

_FIXED = "is always"
_NEVER_RUNS = "never runs"


def check_reach(job: Job, problems: Problems) -> None:
    """Report every task that no run of the job will come to, with the reason.

    A condition whose sides are fixed may be the switch of a target, so that is only recommended
    to look at.
    """
    dead: dict[str, str] = {}
    waiting = dict(job.outer)
    while True:
        found = {key: why for key, task in waiting.items() if (why := _why(task, job, dead))}
        if not found:
            break
        for key, why in found.items():
            task = waiting.pop(key)
            dead[key] = why
            message = f"task {key!r} can never run: {why}"
            node = task.node.get("depends_on") or task.node
            path = (*task.path, "depends_on")
            is_switch = _FIXED in _root(key, job, dead)
            note = problems.recommendation if is_switch else problems.warning
            note(message, path, node, code="unreachable-task")


def _root(key: str, job: Job, dead: dict[str, str]) -> str:
    """Return why the first of the tasks that never run, from this one upward, does not."""
    why = dead[key]
    while why.endswith(_NEVER_RUNS):
        key = next(need for need in job.outer[key].needs if need in dead)
        why = dead[key]
    return why


def _why(task: Task, job: Job, dead: dict[str, str]) -> str | None:
    if task.key in job.upstream[task.key]:
        return None  # in a cycle itself, which is an error of its own
    for entry in (task.node.get("depends_on") or Node(())).elements:
        parent = job.outer.get(entry.text_at("task_key"))
        if parent is None:
            continue
        if parent.key in job.upstream[parent.key]:
            return f"{parent.key!r} waits for itself"
        outcome = _outcome(parent, job)
        if outcome is not None and entry.text_at("outcome") not in {"", outcome}:
            return f"the outcome of {parent.key!r} {_FIXED} {outcome}"
        disabled = parent.node.get("disabled")
        is_off = disabled is not None and disabled.value is True
        if is_off and task.node.text_at("run_if") in _NEEDS_SUCCESS:
            return f"{parent.key!r} is disabled"
    parents = [key for key in task.needs if key in job.outer]
    if parents and all(key in dead for key in parents):
        return f"{parents[0]!r} {_NEVER_RUNS}"
    return None


def _outcome(task: Task, job: Job) -> str | None:
    """Return the outcome of a condition of which both sides are written in the bundle."""
    condition = task.node.get("condition_task")
    if condition is None or any("{{" in condition.text_at(name) for name in ("left", "right")):
        return None
    left, right = operand(condition.get("left"), job), operand(condition.get("right"), job)
    if left is None or right is None or left.text is None or right.text is None:
        return None
    op = condition.text_at("op")
    if op in {"EQUAL_TO", "NOT_EQUAL"}:
        return str((left.text == right.text) is (op == "EQUAL_TO")).lower()
    if not (left.is_number and right.is_number):
        return None
    first, second = float(left.text), float(right.text)
    holds = {
        "GREATER_THAN": first > second,
        "GREATER_THAN_OR_EQUAL": first >= second,
        "LESS_THAN": first < second,
        "LESS_THAN_OR_EQUAL": first <= second,
    }
    return str(holds[op]).lower() if op in holds else None

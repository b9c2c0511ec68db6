"""Conditions that compare a text with a number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from laketop.bundle.lint.dynamic import REFERENCE, parts_of
from laketop.bundle.lint.jobs import Job, Task
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems

_EQUALITY = frozenset({"EQUAL_TO", "NOT_EQUAL"})
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_OTHERS_NUMBER = re.compile(r"[-+]?\d+\.\d*0*|[-+]?0\d+|\+\d+")
"""A number that no program writes so: as a text it equals hardly any other."""


@dataclass(frozen=True)
class Operand:
    """One side of a condition: its text, if it is known before a run, and where it stands."""

    text: str | None
    shown: str
    node: Node

    @property
    def is_number(self) -> bool:
        """Whether this is known to be a number."""
        return self.text is not None and _NUMBER.fullmatch(self.text) is not None

    @property
    def is_text(self) -> bool:
        """Whether this is known to be no number."""
        return self.text is not None and not self.is_number


def check_conditions(job: Job, problems: Problems) -> None:
    """Report conditions whose sides cannot be compared.

    Source: Databricks docs, task types: equality compares texts, the four others compare numbers.
    """
    for task in job.tasks:
        condition = task.node.get("condition_task")
        if condition is None:
            continue
        op = condition.text_at("op")
        sides = [(name, operand(condition.get(name), job)) for name in ("left", "right")]
        for (name, side), (_, other) in zip(sides, reversed(sides), strict=True):
            message = _wrong(side, other, op, task) if side and other else None
            if side is not None and message is not None:
                path = (*task.path, "condition_task", name)
                problems.warning(message, path, side.node, code="text-against-number")


def operand(node: Node | None, job: Job) -> Operand | None:
    """Return one side of a condition; a job parameter is known by its default."""
    if node is None or not isinstance(node.value, str | int | float):
        return None
    text = node.text or str(node.value)
    whole = REFERENCE.fullmatch(text.strip())
    if whole:
        parts = parts_of(whole[1])
        known = job.defaults.get(parts[2]) if parts[:2] == ("job", "parameters") else None
        return Operand(known or None, f"{text} ({known!r})" if known else text, node)
    return Operand(None if "{{" in text else text, repr(text), node)


def _wrong(side: Operand, other: Operand, op: str, task: Task) -> str | None:
    if op not in _EQUALITY:
        if side.is_text:
            return f"condition {task.key!r} compares numbers with {op}, {side.shown} is a text"
        return None
    if side.is_text and other.is_number:
        said = f"the text {side.shown} with the number {other.shown}"
        return f"condition {task.key!r} compares {said}: they never are equal"
    if other.text is None and side.text is not None and _OTHERS_NUMBER.fullmatch(side.text):
        said = f"compares texts with {op}: no number is written {side.shown}"
        return f"condition {task.key!r} {said}"
    return None

"""References of one resource to another, such as `${resources.jobs.score.id}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from laketop.bundle.references import REFERENCE

UNKNOWN: Any = object()
"""What a look-up answers for something that is not deployed yet."""

_PREFIX = "resources."


def filled(value: Any, look_up: Callable[[str], Any]) -> Any:
    """Return `value` with every reference replaced that `look_up` knows.

    `look_up("jobs.score.id")` returns the value or UNKNOWN. A text that is one reference takes
    over the value's type.
    """
    if isinstance(value, dict):
        return {key: _typed(key, filled(inner, look_up)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, look_up) for inner in value]
    if not isinstance(value, str) or f"${{{_PREFIX}" not in value:
        return value
    whole = REFERENCE.fullmatch(value)
    if whole and whole[1].startswith(_PREFIX):
        found = look_up(whole[1].removeprefix(_PREFIX))
        return value if found is UNKNOWN else found

    def inserted(text: str, path: str) -> str:
        found = look_up(path.removeprefix(_PREFIX)) if path.startswith(_PREFIX) else UNKNOWN
        return text if found is UNKNOWN else str(found)

    return REFERENCE.sub(lambda match: inserted(match[0], match[1]), value)


def _typed(field: str, value: Any) -> Any:
    """Return the value of a field in its type: ids are text, but the job of a task is a number.

    A parameter may be named `job_id` too. Source: Jobs API 2.2, `run_job_task.job_id`.
    """
    if field != "run_job_task" or not isinstance(value, dict):
        return value
    job_id = value.get("job_id")
    if not isinstance(job_id, str) or not job_id.isdecimal():
        return value
    return {**value, "job_id": int(job_id)}


def left_in(value: Any) -> list[str]:
    """Return the references to resources that are still in `value`, as they are written."""
    found: list[str] = []

    def note(path: str) -> Any:
        found.append(f"${{{_PREFIX}{path}}}")
        return UNKNOWN

    filled(value, note)
    return found

"""`dbutils.jobs.taskValues`: small values that tasks of a run leave for those after them.

Source: Databricks docs, job parameters: JSON, at most 48 KiB each, the last write wins.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from laketop.runner.request import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 48 * 1024


class TaskValues:
    """The values that this task sets, in `file`, and those `upstream`: {task_key: {key: value}}."""

    def __init__(self, upstream: Mapping[str, Mapping[str, Any]], file: Path) -> None:
        self._upstream = upstream
        self._file = file
        self._own: dict[str, Any] = {}
        self._lock = threading.Lock()

    def set(self, key: str, value: Any) -> None:
        """Leave a value for the tasks downstream.

        Errors: ValueError for a value that is not JSON or larger than 48 KiB.
        """
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"task value {key!r} cannot be written as JSON: {error}") from error
        size = len(text.encode())
        if size > MAX_BYTES:
            raise ValueError(f"task value {key!r} has {size} bytes, the limit is {MAX_BYTES}")
        with self._lock:
            self._own[key] = json.loads(text)
            write_json(self._file, self._own)

    def get(
        self,
        taskKey: str,  # noqa: N803 - the platform's name
        key: str,
        default: Any = None,
        debugValue: Any = None,  # noqa: ARG002, N803 - read outside of jobs only
    ) -> Any:
        """Return the value that a task upstream has set, `default` if it has not.

        Errors: ValueError if there is neither; that it is this one is unverified.
        """
        values = self._upstream.get(taskKey, {})
        if key in values:
            return values[key]
        if default is None:
            known = ", ".join(sorted(values)) or "none"
            raise ValueError(
                f"task {taskKey!r} has set no value {key!r} (it has set: {known}), and no default "
                "was given"
                if taskKey in self._upstream
                else f"no task {taskKey!r} is upstream of this one, and no default was given"
            )
        return default


class Jobs:
    """`dbutils.jobs`."""

    def __init__(self, task_values: TaskValues) -> None:
        self.taskValues = task_values

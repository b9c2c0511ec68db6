"""One attempt of one task: how it stands, and how `runs/get` shows it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError
from laketop.runner.states import FINAL, MESSAGES, both_spellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUN_IF_DEFAULT: Final = "ALL_SUCCESS"


def type_of(task: Mapping[str, Any]) -> str:
    """Return the type of a task: the name of its field that ends in `_task`, without that.

    >>> type_of({"task_key": "a", "notebook_task": {"notebook_path": "/x"}})
    'notebook'

    Errors: ConfigError for a task with no such field, or with more than one.
    """
    key = task.get("task_key")
    found = [name for name, value in task.items() if name.endswith("_task") and value is not None]
    if not found:
        raise ConfigError(f"task {key!r} has nothing to run", hint="give it a notebook_task")
    if len(found) > 1:
        raise ConfigError(f"task {key!r} is of several types: {', '.join(sorted(found))}")
    return found[0].removesuffix("_task")


_RESOLVED: Final = {
    "condition_task": ("left", "right"),
    "dbt_task": ("commands",),
    "notebook_task": ("base_parameters",),
    "python_wheel_task": ("parameters", "named_parameters"),
    "run_job_task": ("job_parameters",),
    "spark_jar_task": ("parameters",),
    "spark_python_task": ("parameters",),
    "spark_submit_task": ("parameters",),
    "sql_task": ("parameters",),
}
"""What `resolved_values` tells of each type of task. Source: databricks-sdk, `ResolvedValues`."""


def resolved_values(task: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of a task whose references are resolved, as `runs/get` tells them.

    >>> resolved_values({"task_key": "a", "condition_task": {"op": "EQUAL_TO", "left": "1"}})
    {'condition_task': {'left': '1'}}
    """
    return {
        kind: {name: task[kind][name] for name in names if task[kind].get(name) is not None}
        for kind, names in _RESOLVED.items()
        if task.get(kind)
    }


_SHOWN: Final = frozenset(
    {
        *("run_id", "attempt_number", "original_attempt_run_id", "state", "status", "start_time"),
        *("setup_duration", "execution_duration", "cleanup_duration", "end_time"),
        *("iterations", "resolved_values"),
    }
)
"""What `view` adds to the settings of a task."""
_SHOWN_WITHIN: Final = {"for_each_task": "stats", "condition_task": "outcome"}
"""What it adds to those of a type of task."""


def settings_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the task of which an item of `tasks` in `runs/get` tells.

    >>> settings_of({"task_key": "a", "run_id": 1, "condition_task": {"outcome": "true"}})
    {'task_key': 'a', 'condition_task': {}}
    """
    settings = {name: value for name, value in view.items() if name not in _SHOWN}
    for kind, shown in _SHOWN_WITHIN.items():
        if within := settings.get(kind):
            settings[kind] = {name: within[name] for name in within if name != shown}
    return settings


@dataclasses.dataclass(kw_only=True)
class Attempt:
    """One attempt of a task; `task` is its settings in REST form.

    `start_ms`, `end_ms` and `retry_ms` are times of the run's clock, `start_time` and `end_time`
    the times of day that are told. Units: epoch ms, 0 = not yet.
    """

    task: Mapping[str, Any]
    run_id: int
    number: int = 0
    retry: int = 0
    """How often this task was retried since the run, or its last repair, began."""
    original_run_id: int
    life_cycle: str = "BLOCKED"
    result: str | None = None
    """Once final; in TERMINATING the one that is coming."""
    start_ms: int = 0
    start_time: int = 0
    end_ms: int = 0
    end_time: int = 0
    retry_ms: int = 0
    """In WAITING_FOR_RETRY: when the wait ends."""
    outcome: str | None = None
    """Of a condition: "true" or "false"."""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    output: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Of a SQL task."""
    error: str | None = None
    """Why it failed, in one sentence."""
    reason: str | None = None
    """What its message says, where that is not what every failure says."""
    _iterations: Mapping[str, Any] | None = dataclasses.field(default=None, init=False, repr=False)
    _resolved: Mapping[str, Any] | None = dataclasses.field(default=None, init=False, repr=False)
    _view: dict[str, Any] | None = dataclasses.field(default=None, init=False, repr=False)

    @classmethod
    def restored(cls, view: Mapping[str, Any], outcome: Mapping[str, Any]) -> Attempt:
        """Return the final attempt that `view` shows; `outcome` has the fields of its Outcome."""
        attempt = cls(
            task=view,
            run_id=view["run_id"],
            number=view["attempt_number"],
            original_run_id=view["original_attempt_run_id"],
            life_cycle=view["state"]["life_cycle_state"],
            result=view["state"]["result_state"],
            start_ms=view["start_time"],
            start_time=view["start_time"],
            end_ms=view["end_time"],
            end_time=view["end_time"],
            outcome=(view.get("condition_task") or {}).get("outcome"),
            values=outcome.get("values") or {},
            output=outcome.get("output") or {},
            reason=outcome.get("reason"),
        )
        attempt._view = dict(view)
        return attempt

    @property
    def key(self) -> str:
        """The task's key."""
        return str(self.task["task_key"])

    @property
    def run_if(self) -> str:
        """When the task runs, seen from its parents."""
        return str(self.task.get("run_if") or RUN_IF_DEFAULT)

    @property
    def is_final(self) -> bool:
        """Whether nothing about this attempt will change."""
        return self.life_cycle in FINAL

    @property
    def message(self) -> str:
        """The text of `state_message`."""
        return self.reason or MESSAGES.get(self.result or "", "")

    def change(self, life_cycle: str, result: str | None = None) -> None:
        """Take the attempt on to `life_cycle`."""
        self.life_cycle = life_cycle
        self.result = result
        self._view = None

    def begin(self, now_ms: int, ahead_ms: int) -> None:
        """Let the attempt have started now; the time of day is `ahead_ms` ahead."""
        self.start_ms = now_ms
        self.start_time = now_ms + ahead_ms

    def end(self, life_cycle: str, result: str, now_ms: int, ahead_ms: int) -> None:
        """Take the attempt to its end; one that never started starts and ends now."""
        if not self.start_ms:
            self.begin(now_ms, ahead_ms)
        self.end_ms = max(now_ms, self.start_ms)
        self.end_time = max(now_ms + ahead_ms, self.start_time + self.end_ms - self.start_ms)
        self.change(life_cycle, result)

    def timeout_ms(self) -> int | None:
        """Return when a started attempt is out of time, None for never."""
        seconds = self.task.get("timeout_seconds") or 0
        return self.start_ms + seconds * 1000 if seconds else None

    def show_iterations(
        self, iterations: Sequence[Mapping[str, Any]], stats: Mapping[str, Any]
    ) -> None:
        """Show these iterations of a for_each task from now on, and their `stats`."""
        nested = {**self.task["for_each_task"], "stats": stats}
        self._iterations = {"for_each_task": nested, "iterations": list(iterations)}
        self._view = None

    def show_resolved(self, task: Mapping[str, Any]) -> None:
        """Show the parameters of `task`, whose references are resolved, from now on."""
        self._resolved = {"resolved_values": resolved_values(task)}
        self._view = None

    def view(self) -> dict[str, Any]:
        """Return the attempt as an item of `tasks` in `runs/get`; not to be changed."""
        if self._view is None:
            self._view = {
                **self.task,
                "run_id": self.run_id,
                "attempt_number": self.number,
                "original_attempt_run_id": self.original_run_id,
                "run_if": self.run_if,
                **both_spellings(self.life_cycle, self.result, message=self.message),
                "start_time": self.start_time,
                "setup_duration": 0,
                "execution_duration": self.end_ms - self.start_ms if self.end_ms else 0,
                "cleanup_duration": 0,
                "end_time": self.end_time,
            }
            if self.outcome is not None:
                condition = {**self.task["condition_task"], "outcome": self.outcome}
                self._view["condition_task"] = condition
            self._view |= {**(self._iterations or {}), **(self._resolved or {})}
        return self._view

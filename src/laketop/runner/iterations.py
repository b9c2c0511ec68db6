"""The iterations of a for_each task: runs of its nested task, one for each input.

They are a run inside the run: independent tasks, so that retries and timeouts of the nested task
are those of any other. Source: Databricks docs, task types.
"""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError
from laketop.runner.references import Scope
from laketop.runner.run import JobRun
from laketop.runner.scope import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laketop.runner.attempt import Attempt
    from laketop.runner.run import RunRequest

CONCURRENCY_DEFAULT: Final = 1
MOST_CONCURRENCY: Final = 100
"""Unverified."""
COMMONEST_ERRORS: Final = 3
ITERATIONS_HAVE_THE_KEY_OF_THE_NESTED_TASK: Final = True
"""What `task_key` of an item of `iterations` is; unverified."""
_NOT_OF_AN_ITERATION: Final = ("depends_on", "run_if")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What iterations see of the run that their for_each task belongs to."""

    scope: Scope
    """What the settings of the for_each task itself may refer to."""
    parameters: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]
    """The task values of everything upstream."""


def inputs_of(settings: Mapping[str, Any]) -> list[Any]:
    """Return the inputs of a for_each task whose references are resolved.

    Errors: ConfigError if they are no JSON array.
    """
    text = settings.get("inputs", "")
    try:
        inputs = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        inputs = None
    if not isinstance(inputs, list):
        raise ConfigError(
            f"the inputs {text!r} of a for_each task are no JSON array",
            hint='write [1, 2], or refer to a task value or job parameter, "{{tasks.a.values.b}}"',
        )
    return inputs


def concurrency_of(settings: Mapping[str, Any]) -> int:
    """Return how many iterations may run at once.

    Errors: ConfigError for a number that it cannot be.
    """
    wanted = settings.get("concurrency")
    concurrency = CONCURRENCY_DEFAULT if wanted is None else wanted
    if not isinstance(concurrency, int) or not 1 <= concurrency <= MOST_CONCURRENCY:
        raise ConfigError(
            f"the concurrency {wanted!r} of a for_each task is not from 1 to {MOST_CONCURRENCY}"
        )
    return concurrency


class IterationsRun(JobRun):
    """All iterations of one attempt of a for_each task.

    `request` is that of the run around it. Errors: as of JobRun, for the nested task.
    """

    def __init__(
        self,
        nested: Mapping[str, Any],
        inputs: Sequence[Any],
        request: RunRequest,
        new_run_id: Callable[[], int],
        *,
        around: Surroundings,
    ) -> None:
        kept = {name: nested[name] for name in nested if name not in _NOT_OF_AN_ITERATION}
        tasks = [{**kept, "task_key": str(number)} for number in range(len(inputs))]
        self._nested_key = str(nested.get("task_key", ""))
        self._inputs = inputs
        self._around = around
        inner = dataclasses.replace(request, only=(), parameters={})
        super().__init__({"name": self._nested_key, "tasks": tasks}, inner, new_run_id)

    @property
    def job_parameters(self) -> Mapping[str, str]:
        """The parameters of the run around it."""
        return self._around.parameters

    def resolved(self, attempt: Attempt) -> dict[str, Any]:
        """Return the nested task's settings for one input, under the nested task's key."""
        return {**super().resolved(attempt), "task_key": self._nested_key}

    def scope_of(self, attempt: Attempt) -> Scope:
        """Return what the for_each task may refer to, and `input`."""
        return Scope(
            {
                **self._around.scope,
                "task": Scope({**facts_of(attempt), "name": self._nested_key}),
                "task_key": self._nested_key,
                "run_id": attempt.run_id,
                "task_retry_count": attempt.number,
                "input": _as_scope(self._inputs[int(attempt.key)]),
            }
        )

    def task_values(self, key: str) -> dict[str, Mapping[str, Any]]:  # noqa: ARG002
        """Return what the tasks above the for_each task have set."""
        return dict(self._around.values)

    def iterations(self) -> list[dict[str, Any]]:
        """Return the attempts as `iterations` of `runs/get` lists them."""
        return [{**item, "task_key": self._nested_key} for item in self.snapshot()["tasks"]]

    def stats(self) -> dict[str, Any]:
        """Return the `stats` of the for_each task: of each iteration the latest attempt counts."""
        latest = [attempts[-1] for attempts in self._attempts.values()]
        scheduled = [one for one in latest if one.start_ms or one.is_final]
        ended = [one for one in latest if one.is_final]
        failed = [one for one in ended if one.result != "SUCCESS"]
        errors = collections.Counter(one.error or one.message for one in failed)
        return {
            "task_run_stats": {
                "total_iterations": len(latest),
                "scheduled_iterations": len(scheduled),
                "active_iterations": len(scheduled) - len(ended),
                "completed_iterations": len(ended),
                "failed_iterations": len(failed),
                "succeeded_iterations": len(ended) - len(failed),
            },
            "error_message_stats": [
                {"error_message": message, "count": count}
                for message, count in errors.most_common(COMMONEST_ERRORS)
            ],
        }


def _as_scope(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return Scope({name: _as_scope(inner) for name, inner in value.items()}, itself=dict(value))

"""The types of task: one file each, named as the field of the Jobs API without `_task`."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from laketop.errors import ConfigError, Refused
from laketop.runner.attempt import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from laketop.runner.context import TaskType


_INSTEAD: Final = {
    "pipeline": (
        "declarative pipelines do not run here yet: write its tables in a notebook task, or run"
        " the other tasks alone, by `only`"
    ),
}
"""What to do where a type of task is refused."""


@functools.cache
def task_types() -> Mapping[str, TaskType]:
    """Return the task types there are, by name.

    Errors: TypeError for a file that does not hold exactly one class with a `run`.
    """
    return {each.name: _task_type(each.name) for each in pkgutil.iter_modules(__path__)}


def refuse_unknown(
    tasks: Iterable[Mapping[str, Any]], types: Mapping[str, TaskType] | None = None
) -> None:
    """Raise Refused, naming the types of these tasks that are not in `types`, None = all there are.

    Errors: also ConfigError, for a task of no type or of several.
    """
    types = task_types() if types is None else types
    tasks = list(tasks)
    problems = [
        f"task type {name!r} of task {task.get('task_key')!r}"
        for task in _with_nested(tasks)
        if (name := type_of(task)) not in types
    ]
    if problems:
        known = ", ".join(sorted(types))
        asked = {type_of(task) for task in _with_nested(tasks)}
        hints = [_INSTEAD[name] for name in sorted(asked & _INSTEAD.keys())]
        hint = "; ".join([*hints, f"the task types are {known}"])
        raise Refused("; ".join(problems), hint=hint)


def _with_nested(tasks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for task in tasks:
        yield task
        if type_of(task) != "for_each":
            continue
        nested = task["for_each_task"].get("task")
        if not isinstance(nested, Mapping):
            raise ConfigError(f"for_each task {task.get('task_key')!r} has no `task` to repeat")
        if type_of(nested) == "for_each":
            raise ConfigError(f"for_each task {task.get('task_key')!r} repeats a for_each task")
        yield nested


def _task_type(name: str) -> TaskType:
    module = importlib.import_module(f"{__name__}.{name}")
    found = [
        each
        for each in vars(module).values()
        if inspect.isclass(each) and each.__module__ == module.__name__ and hasattr(each, "run")
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} has {len(found)} classes with a `run`, not one")
    return cast("TaskType", found[0]())

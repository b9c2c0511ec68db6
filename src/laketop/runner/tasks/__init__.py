"""The types of task: one file each, named as the field of the Jobs API without `_task`."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING, Any, cast

from laketop.errors import Refused
from laketop.runner.attempt import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from laketop.runner.context import TaskType


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
    problems = [
        f"task type {name!r} of task {task.get('task_key')!r}"
        for task in tasks
        if (name := type_of(task)) not in types
    ]
    if problems:
        known = ", ".join(sorted(types))
        raise Refused("; ".join(problems), hint=f"the task types are {known}")


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

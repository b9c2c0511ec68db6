"""What differs between two JSON values, by path."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KEYS = (
    *("task_key", "job_cluster_key", "environment_key", "principal"),
    *("user_name", "group_name", "service_principal_name", "name", "key"),
)
"""The fields by which the items of a list are told apart, the surest first."""


@dataclasses.dataclass(frozen=True)
class Change:
    """A value that differs, at a path such as `tasks[t].max_retries`; None where there is none."""

    path: str
    old: Any
    new: Any


def changes(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """Yield where `new` differs from `old`; a missing value and None are the same.

    Items of lists are matched by the field that names them, or else by their places.

    >>> [change.path for change in changes({"a": [1, 2], "b": 1}, {"a": [1, 3], "b": 1})]
    ['a[1]']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from changes(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif _are_lists(old, new):
        yield from _of_lists(old, new, path)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Change(path, old, new)


def _are_lists(old: Any, new: Any) -> bool:
    return all(isinstance(side, list | tuple) for side in (old, new))


def _of_lists(old: Sequence[Any], new: Sequence[Any], path: str) -> Iterator[Change]:
    key = _key_of(old, new)
    if key is not None:
        named_old = {item[key]: item for item in old}
        named_new = {item[key]: item for item in new}
        for name in [*named_old, *(name for name in named_new if name not in named_old)]:
            yield from changes(named_old.get(name), named_new.get(name), f"{path}[{name}]")
        return
    for index, (before, after) in enumerate(zip(old, new, strict=False)):
        yield from changes(before, after, f"{path}[{index}]")
    for index in range(len(new), len(old)):
        yield Change(f"{path}[{index}]", old[index], None)
    for index in range(len(old), len(new)):
        yield Change(f"{path}[{index}]", None, new[index])


def _key_of(old: Sequence[Any], new: Sequence[Any]) -> str | None:
    for key in _KEYS:
        names = [
            [item.get(key) if isinstance(item, Mapping) else None for item in side]
            for side in (old, new)
        ]
        told = all(isinstance(name, str) for side in names for name in side)
        if told and all(len(set(side)) == len(side) for side in names) and (old or new):
            return key
    return None
